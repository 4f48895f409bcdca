#include "libcompress/import/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libcompress/base/error.h"
#include "libcompress/import/tensor_math.h"

namespace compress {
namespace {

using BatchAxis = std::optional<std::size_t>;

bool is_one(std::int64_t extent) { return extent == 1; }

/// The axis behind a reduction that drops axes; nothing if the batch was among them.
BatchAxis behind_reduction(const Node& node, std::size_t axis) {
  const auto& axes = node.attributes.integers("axes");
  const auto at = static_cast<std::int64_t>(axis);
  if (std::find(axes.begin(), axes.end(), at) != axes.end()) return std::nullopt;
  if (node.attributes.boolean("keep")) return axis;
  const auto gone = std::count_if(axes.begin(), axes.end(), [=](auto each) { return each < at; });
  return axis - static_cast<std::size_t>(gone);
}

/// Where the batch axis of input `i` is in the node's output.
BatchAxis moved(const Graph& graph, const Node& node, std::size_t i, std::size_t axis) {
  const auto& from = graph.value(node.inputs[i]).shape;
  const auto& to = graph.value(node.output).shape;
  if (node.op == "permute") {
    const auto& order = node.attributes.integers("order");
    const auto found = std::find(order.begin(), order.end(), static_cast<std::int64_t>(axis));
    return static_cast<std::size_t>(found - order.begin());
  }
  if (node.op == "reshape") {
    const auto end = from.begin() + static_cast<std::ptrdiff_t>(axis);
    return !to.empty() && std::all_of(from.begin(), end, is_one) ? BatchAxis(0) : std::nullopt;
  }
  if (node.op == "flatten") return axis == 0 ? BatchAxis(0) : std::nullopt;
  if (node.attributes.has("axes") && node.attributes.has("keep")) return behind_reduction(node, axis);
  if (to.size() < from.size()) return std::nullopt;
  return axis + to.size() - from.size();  // numpy aligns shapes at their ends
}

/// Of each value.
std::vector<BatchAxis> follow_batch(const Graph& graph) {
  std::vector<BatchAxis> axes(graph.values().size());
  for (const auto input : graph.inputs()) {
    if (!graph.value(input).shape.empty()) axes[index_of(input)] = 0;
  }
  for (const auto id : graph.topological_order()) {
    const auto& node = graph.node(id);
    auto& output = axes[index_of(node.output)];
    for (std::size_t i = 0; i < node.inputs.size() && !output; ++i) {
      if (const auto axis = axes[index_of(node.inputs[i])]) output = moved(graph, node, i, *axis);
    }
  }
  return axes;
}

[[noreturn]] void refuse(const std::string& where, const std::string& found) {
  throw Error(ErrorKind::input, {where, found, "nodes that do the same to every example",
                                 "fix the batch by giving the input's extents"});
}

/// The axis whose extent doubles; -1 if none does.
std::int64_t doubled_axis(const Node& node, const Shape& one, const Shape& two) {
  const auto where = fmt::format("node '{}'", node.name);
  const auto found = fmt::format("shape {} for one example and {} for two", to_string(one), to_string(two));
  if (one.size() != two.size()) refuse(where, found);
  std::int64_t axis = -1;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (one[i] == two[i]) continue;
    if (axis >= 0 || two[i] != 2 * one[i]) refuse(where, found);
    axis = static_cast<std::int64_t>(i);
  }
  return axis;
}

/// Where `expand` gives an axis the extent of the batch, that axis is declared as 1 and so not touched.
bool is_explained(const Node& one, const Node& two, const std::string& attribute) {
  if (one.op != "expand" || attribute != "shape") return false;
  const auto &a = one.attributes.integers("shape"), &b = two.attributes.integers("shape");
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && b[i] != 2 * a[i]) return false;
  }
  return true;
}

void compare_attributes(const Node& one, const Node& two) {
  for (const auto& [name, value] : one.attributes.items()) {
    if (one.op == "reshape" || two.attributes.items().at(name) == value || is_explained(one, two, name))
      continue;
    refuse(fmt::format("node '{}'", one.name), fmt::format("attribute '{}' that depends on the batch", name));
  }
}

bool is_stored(const Value& value) {
  return value.kind == ValueKind::parameter || value.kind == ValueKind::buffer;
}

/// Along which axis `two` holds what `one` holds twice; -1 if they hold the same; nothing if they do neither.
std::optional<std::int64_t> repeated_axis(const Tensor& one, const Tensor& two) {
  if (one.storage() == two.storage() && one.shape() == two.shape()) return -1;
  if (one.shape().size() != two.shape().size()) return std::nullopt;
  std::int64_t axis = -1;
  for (std::size_t i = 0; i < one.shape().size(); ++i) {
    if (one.shape()[i] == two.shape()[i]) continue;
    if (axis >= 0 || one.shape()[i] != 1 || two.shape()[i] != 2) return std::nullopt;
    axis = static_cast<std::int64_t>(i);
  }
  const auto repeated = axis < 0 ? one : tensor_math::expanded(one, two.shape());
  return std::ranges::equal(repeated.bytes(), two.bytes()) ? std::optional(axis) : std::nullopt;
}

/// Two networks walked side by side. Their values are not numbered alike: a constant that is repeated over
/// the batch is the stored one itself for one example, and another one for two.
class Comparison {
 public:
  Comparison(const MadeNetwork& one, const MadeNetwork& two)
      : one_(one), two_(two), counterparts_(two.graph.values().size()) {}

  /// Error of kind input for the first difference that the batch does not explain.
  void run() {
    const auto &a = one_.graph, &b = two_.graph;
    const bool alike = a.inputs().size() == b.inputs().size() && a.nodes().size() == b.nodes().size() &&
                       a.outputs().size() == b.outputs().size();
    if (!alike) refuse("graph", kOtherNodes);
    for (std::size_t i = 0; i < a.inputs().size(); ++i) pair(a.inputs()[i], b.inputs()[i]);
    for (std::size_t i = 0; i < a.nodes().size(); ++i) compare(a.nodes()[i], b.nodes()[i]);
    for (std::size_t i = 0; i < a.outputs().size(); ++i)
      compare_values(a.outputs()[i], b.outputs()[i], "graph");
  }

 private:
  static constexpr const char* kOtherNodes = "other nodes for two examples than for one";

  void pair(ValueId one, ValueId two) { counterparts_[index_of(two)] = one; }

  void compare(const Node& one, const Node& two) {
    const auto where = fmt::format("node '{}'", one.name);
    const bool alike = one.op == two.op && one.inputs.size() == two.inputs.size() &&
                       one.attributes.items().size() == two.attributes.items().size();
    if (!alike) refuse(where, kOtherNodes);
    for (std::size_t i = 0; i < one.inputs.size(); ++i) {
      const auto axis = compare_values(one.inputs[i], two.inputs[i], where);
      if (axis >= 0 && one.op == "concat" && axis == one.attributes.integer("axis"))
        refuse(where, "a constant of each example joined along the batch");
    }
    compare_attributes(one, two);
    doubled_axis(one, one_.graph.value(one.output).shape, two_.graph.value(two.output).shape);
    pair(one.output, two.output);
  }

  /// Along which axis a constant is repeated for each example; -1 for what is not.
  std::int64_t compare_values(ValueId one, ValueId two, const std::string& where) {
    const auto &a = one_.graph.value(one), &b = two_.graph.value(two);
    if (is_stored(a) && is_stored(b)) return compare_stored(a, b);
    if (counterparts_[index_of(two)] != one) refuse(where, kOtherNodes);
    return -1;
  }

  std::int64_t compare_stored(const Value& one, const Value& two) {
    const auto [known, is_new] = repeated_.try_emplace({one.id, two.id}, -1);
    if (!is_new) return known->second;
    const auto axis = repeated_axis(one_.weights.at(one.name), two_.weights.at(two.name));
    if (!axis) refuse(fmt::format("constant '{}'", one.name), "values that depend on the batch");
    return known->second = *axis;
  }

  const MadeNetwork& one_;
  const MadeNetwork& two_;
  std::vector<std::optional<ValueId>> counterparts_;  ///< of each value that `two` computes, in `one`
  std::map<std::pair<ValueId, ValueId>, std::int64_t>
      repeated_;  ///< constants compared, and along which axis
};

}  // namespace

Graph with_fixed_batch(const Graph& graph) {
  const auto axes = follow_batch(graph);
  std::map<NodeId, Rewrite> changed;
  for (const auto& node : graph.nodes()) {
    if (node.op != "reshape") continue;
    auto attributes = node.attributes;
    attributes.set("batch_axis", axes[index_of(node.output)] ? std::int64_t{0} : std::int64_t{-1});
    changed.emplace(node.id, Rewrite{node.op, std::move(attributes)});
  }
  return graph.reshaped({}, changed);
}

Graph with_free_batch(const MadeNetwork& one, const MadeNetwork& two) {
  Comparison(one, two).run();
  std::map<NodeId, Rewrite> changed;
  for (std::size_t i = 0; i < one.graph.nodes().size(); ++i) {
    const auto& node = one.graph.nodes()[i];
    if (node.op != "reshape") continue;
    const auto& for_two = two.graph.value(two.graph.nodes()[i].output).shape;
    auto attributes = node.attributes;
    attributes.set("batch_axis", doubled_axis(node, one.graph.value(node.output).shape, for_two));
    changed.emplace(node.id, Rewrite{node.op, std::move(attributes)});
  }
  return one.graph.reshaped({}, changed);
}

}  // namespace compress
