#include "libcompress/graph/canonicalize.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "libcompress/graph/reshape_blocks.h"

namespace compress {
namespace {

using Integers = std::vector<std::int64_t>;

constexpr std::int64_t kMostIndices = 1 << 16;  // of a gather that stands for a reordering

/// What a pass makes of a node: nothing new (then it is copied), or another node, or a value that was there
/// before.
struct Replacement {
  std::string op;
  ValueId input{};  ///< of the old graph
  Attributes attributes;
  bool none = false;  ///< the input itself takes the node's place
};

using Rule = std::function<std::optional<Replacement>(const Node&)>;

/// Copies `graph`, asking `rule` for each node. Leaves out nodes and parameters that `wanted` does not hold.
class Rebuild {
 public:
  Rebuild(const Graph& graph, const Rule& rule, const std::set<ValueId>* wanted = nullptr)
      : graph_(graph), rule_(rule), wanted_(wanted) {}

  Graph run() {
    for (const auto& value : graph_.values()) {
      if (value.kind == ValueKind::input)
        places_[value.id] = copy_.add_input(value.name, value.shape, value.dtype);
      if (!is_wanted(value.id)) continue;
      if (value.kind == ValueKind::parameter)
        places_[value.id] = copy_.add_parameter(value.name, value.shape);
      if (value.kind == ValueKind::buffer) places_[value.id] = copy_.add_buffer(value.name, value.shape);
    }
    for (const auto id : graph_.topological_order()) {
      const auto& node = graph_.node(id);
      if (is_wanted(node.output)) places_[node.output] = place(node);
    }
    std::vector<ValueId> outputs;
    for (const auto output : graph_.outputs()) outputs.push_back(places_.at(output));
    copy_.set_outputs(outputs);
    return std::move(copy_);
  }

 private:
  bool is_wanted(ValueId id) const { return wanted_ == nullptr || wanted_->contains(id); }

  ValueId place(const Node& node) {
    const auto replacement = rule_ ? rule_(node) : std::nullopt;
    if (replacement && replacement->none) return places_.at(replacement->input);
    if (replacement)
      return copy_.add_node(replacement->op, node.name, {places_.at(replacement->input)},
                            replacement->attributes);
    std::vector<ValueId> inputs;
    for (const auto input : node.inputs) inputs.push_back(places_.at(input));
    return copy_.add_node(node.op, node.name, std::move(inputs), node.attributes);
  }

  const Graph& graph_;
  const Rule& rule_;
  const std::set<ValueId>* wanted_;
  Graph copy_;
  std::map<ValueId, ValueId> places_;
};

/// How often each value is read, as an output too.
std::vector<int> readers_of(const Graph& graph) {
  std::vector<int> readers(graph.values().size(), 0);
  for (const auto& node : graph.nodes()) {
    for (const auto input : node.inputs) ++readers[index_of(input)];
  }
  for (const auto output : graph.outputs()) ++readers[index_of(output)];
  return readers;
}

bool is_output(const Graph& graph, ValueId id) {
  return std::find(graph.outputs().begin(), graph.outputs().end(), id) != graph.outputs().end();
}

/// The axis that `split` divides into the axes [begin, end) which `order` reorders among themselves, all
/// others staying where they are.
struct SplitAxis {
  std::int64_t axis;
  std::size_t begin, end;
};

std::optional<SplitAxis> reordered_axis(const Shape& in, const Shape& split, const Integers& order) {
  std::size_t first = 0, last = order.size();
  while (first < last && order[first] == static_cast<std::int64_t>(first)) ++first;
  while (last > first && order[last - 1] == static_cast<std::int64_t>(last - 1)) --last;
  for (const auto& block : reshape_blocks(in, split)) {
    if (block.out_begin > first || last > block.out_end) continue;
    std::optional<SplitAxis> found;
    for (auto axis = block.in_begin; axis < block.in_end; ++axis) {
      if (in[axis] == 1) continue;
      if (found) return std::nullopt;
      found = SplitAxis{static_cast<std::int64_t>(axis), block.out_begin, block.out_end};
    }
    return found;
  }
  return std::nullopt;
}

/// Whether the batch is part of what is reordered: then indices would depend on it.
bool holds_batch(const Node& split, const SplitAxis& axis) {
  if (split.op != "reshape") return axis.begin == 0;
  const auto batch = split.attributes.integer("batch_axis");
  return batch >= static_cast<std::int64_t>(axis.begin) && batch < static_cast<std::int64_t>(axis.end);
}

/// By index of the axis behind the permute, the index before it.
Integers reordered_indices(const Shape& split, const Integers& order, std::size_t begin, std::size_t end) {
  Integers strides(end - begin, 1);
  for (std::size_t i = strides.size(); i-- > 1;) strides[i - 1] = strides[i] * split[begin + i];
  Integers indices(1, 0);
  for (std::size_t place = begin; place < end; ++place) {
    const auto source = static_cast<std::size_t>(order[place]);
    Integers longer;
    for (const auto index : indices) {
      for (std::int64_t i = 0; i < split[source]; ++i) longer.push_back(index + i * strides[source - begin]);
    }
    indices = std::move(longer);
  }
  return indices;
}

/// The groups of the channel shuffle that gives these indices, if one does.
std::optional<std::int64_t> shuffle_groups(const Integers& indices) {
  const auto extent = static_cast<std::int64_t>(indices.size());
  if (extent < 2 || indices[1] == 0 || extent % indices[1] != 0) return std::nullopt;
  const auto groups = extent / indices[1];
  for (std::int64_t i = 0; i < extent; ++i) {
    if (indices[static_cast<std::size_t>(i)] != i % groups * (extent / groups) + i / groups)
      return std::nullopt;
  }
  return groups;
}

bool is_reshape(const Node* node) { return node && (node->op == "reshape" || node->op == "flatten"); }

std::optional<Replacement> folded_shuffle(const Graph& graph, const std::vector<int>& readers,
                                          const Node& merge) {
  if (!is_reshape(&merge)) return std::nullopt;
  const auto* turn = graph.producer(merge.inputs[0]);
  if (!turn || turn->op != "permute" || readers[index_of(turn->output)] != 1) return std::nullopt;
  const auto* split = graph.producer(turn->inputs[0]);
  if (!is_reshape(split) || readers[index_of(split->output)] != 1) return std::nullopt;
  const auto& in = graph.value(split->inputs[0]).shape;
  if (in != graph.value(merge.output).shape) return std::nullopt;
  const auto& between = graph.value(split->output).shape;
  const auto& order = turn->attributes.integers("order");
  const auto axis = reordered_axis(in, between, order);
  if (!axis || holds_batch(*split, *axis)) return std::nullopt;
  if (in[static_cast<std::size_t>(axis->axis)] > kMostIndices) return std::nullopt;
  auto indices = reordered_indices(between, order, axis->begin, axis->end);
  if (const auto groups = shuffle_groups(indices); groups && axis->axis == 1)
    return Replacement{"channel_shuffle", split->inputs[0], {{"groups", *groups}}};
  return Replacement{"gather", split->inputs[0], {{"axis", axis->axis}, {"indices", std::move(indices)}}};
}

/// A reshape's batch lies where the second one puts it, if both know; a batch fixed by one stays fixed.
std::optional<Replacement> merged_reshape(const Graph& graph, const std::vector<int>& readers,
                                          const Node& node) {
  if (node.op != "reshape") return std::nullopt;
  const auto* before = graph.producer(node.inputs[0]);
  if (!before || before->op != "reshape" || readers[index_of(before->output)] != 1) return std::nullopt;
  auto attributes = node.attributes;
  if (before->attributes.integer("batch_axis") < 0) attributes.set("batch_axis", std::int64_t{-1});
  return Replacement{"reshape", before->inputs[0], std::move(attributes)};
}

bool changes_nothing(const Graph& graph, const Node& node) {
  static const std::set<std::string, std::less<>> kKeeping = {"reshape", "expand", "slice", "pad", "flatten"};
  if (node.op == "identity") return true;
  if (node.op == "concat") return node.inputs.size() == 1;
  const auto& in = graph.value(node.inputs[0]).shape;
  if (node.op == "permute") {
    const auto& order = node.attributes.integers("order");
    return std::is_sorted(order.begin(), order.end());
  }
  // Only extents that stay: an expand of the batch alone looks the same and does nothing either.
  return kKeeping.contains(node.op) && graph.value(node.output).shape == in;
}

std::set<ValueId> needed_values(const Graph& graph) {
  std::set<ValueId> needed(graph.outputs().begin(), graph.outputs().end());
  const auto order = graph.topological_order();
  for (auto id = order.rbegin(); id != order.rend(); ++id) {
    const auto& node = graph.node(*id);
    if (needed.contains(node.output)) needed.insert(node.inputs.begin(), node.inputs.end());
  }
  return needed;
}

}  // namespace

Graph fold_shuffles(const Graph& graph) {
  const auto readers = readers_of(graph);
  const Rule rule = [&](const Node& node) { return folded_shuffle(graph, readers, node); };
  return drop_dead_nodes(Rebuild(graph, rule).run());
}

Graph merge_reshapes(const Graph& graph) {
  const auto readers = readers_of(graph);
  const Rule rule = [&](const Node& node) { return merged_reshape(graph, readers, node); };
  return drop_dead_nodes(Rebuild(graph, rule).run());
}

Graph drop_idle_nodes(const Graph& graph) {
  const Rule rule = [&](const Node& node) -> std::optional<Replacement> {
    if (!changes_nothing(graph, node) || is_output(graph, node.output)) return std::nullopt;
    return Replacement{.op = {}, .input = node.inputs[0], .attributes = {}, .none = true};
  };
  return Rebuild(graph, rule).run();
}

Graph drop_dead_nodes(const Graph& graph) {
  const auto needed = needed_values(graph);
  return Rebuild(graph, {}, &needed).run();
}

Graph canonicalize(const Graph& graph) {
  auto result = drop_dead_nodes(drop_idle_nodes(graph));
  // A chain of reshapes shortens by one a time.
  for (auto nodes = result.nodes().size() + 1; result.nodes().size() < nodes;) {
    nodes = result.nodes().size();
    result = drop_idle_nodes(merge_reshapes(result));
  }
  return fold_shuffles(result);
}

Model canonicalize(const Model& model) {
  Model result{model.name, canonicalize(model.graph), {}, model.metadata};
  for (const auto id : result.graph.parameters()) {
    const auto& name = result.graph.value(id).name;
    result.weights[name] = model.weights.at(name);
  }
  return result;
}

}  // namespace compress
