#include "libcompress/import/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "libcompress/base/error.h"

namespace compress {
namespace {

using Integers = std::vector<std::int64_t>;
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

void compare(const Graph& a, const Graph& b, const Node& one, const Node& two) {
  const bool alike = one.op == two.op && one.name == two.name && one.inputs == two.inputs &&
                     one.attributes.items().size() == two.attributes.items().size();
  if (!alike) refuse(fmt::format("node '{}'", one.name), "other nodes for two examples than for one");
  compare_attributes(one, two);
  doubled_axis(one, a.value(one.output).shape, b.value(two.output).shape);
}

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

Graph with_free_batch(const Graph& one, const Graph& two) {
  if (one.nodes().size() != two.nodes().size() || one.outputs() != two.outputs())
    refuse("graph", "other nodes for two examples than for one");
  std::map<NodeId, Rewrite> changed;
  for (std::size_t i = 0; i < one.nodes().size(); ++i) {
    const auto& node = one.nodes()[i];
    compare(one, two, node, two.nodes()[i]);
    if (node.op != "reshape") continue;
    auto attributes = node.attributes;
    attributes.set("batch_axis",
                   doubled_axis(node, one.value(node.output).shape, two.value(two.nodes()[i].output).shape));
    changed.emplace(node.id, Rewrite{node.op, std::move(attributes)});
  }
  return one.reshaped({}, changed);
}

}  // namespace compress
