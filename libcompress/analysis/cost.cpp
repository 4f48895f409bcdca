#include "libcompress/analysis/cost.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace compress {
namespace {

constexpr std::int64_t kBytesAChannel = 9;  // int32 bias, int32 multiplier, int8 shift

bool has_weights(const Op& op) {
  return op.name == "conv" || op.name == "conv_transpose" || op.name == "linear";
}

std::int64_t output_channels(const Op& op, const std::vector<Shape>& inputs, const Shape& output) {
  return op.name == "conv_transpose" ? output[1] : inputs[1][0];
}

/// Whether the constant at `operand` is stored as it is: what a layer adds, and the scales of a norm, end in
/// what each channel costs.
bool is_stored(const Op& op, std::size_t operand) {
  if (op.name == "batch_norm") return operand == 0;
  return !has_weights(op) || operand < 2;
}

bool is_activation(const Value& value) {
  return value.kind == ValueKind::input || value.kind == ValueKind::activation;
}

/// Each node that reads `value`, by value.
std::vector<std::vector<NodeId>> readers_of(const Graph& graph) {
  std::vector<std::vector<NodeId>> readers(graph.values().size());
  for (const auto& node : graph.nodes()) {
    for (const auto input : node.inputs) {
      auto& list = readers[index_of(input)];
      if (list.empty() || list.back() != node.id) list.push_back(node.id);
    }
  }
  return readers;
}

/// Whether quantization folds this norm away: it alone reads the output of a conv or a rank-2 linear.
bool folds(const Graph& graph, const Node& norm, const std::vector<std::vector<NodeId>>& readers) {
  if (norm.op != "batch_norm") return false;
  const auto* before = graph.producer(norm.inputs[0]);
  const auto& outputs = graph.outputs();
  const bool is_output = std::find(outputs.begin(), outputs.end(), norm.inputs[0]) != outputs.end();
  if (!before || is_output || readers[index_of(norm.inputs[0])].size() != 1) return false;
  return before->op == "conv" || (before->op == "linear" && graph.value(before->output).shape.size() == 2);
}

}  // namespace

CostModel::CostModel(const Graph& graph) : graph_(graph) {
  const auto readers = readers_of(graph);
  const std::set<ValueId> outputs(graph.outputs().begin(), graph.outputs().end());
  std::vector<std::size_t> place(graph.values().size(), 0);
  std::vector<char> owned(graph.values().size(), 0);
  const auto open_buffer = [&](ValueId value, std::size_t first) {
    place[index_of(value)] = buffers_.size();
    buffers_.push_back({{value}, first, first});
    return buffers_.size() - 1;
  };
  for (const auto input : graph.inputs()) open_buffer(input, 0);

  for (const auto id : graph.topological_order()) {
    const auto& node = graph.node(id);
    const auto now = steps_.size();
    Step step{&node, &find_op(node.op, node.name), {}, folds(graph, node, readers), 0};
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const auto input = node.inputs[i];
      if (is_activation(graph.value(input))) {
        buffers_[place[index_of(input)]].last = now;
      } else if (!owned[index_of(input)]) {
        owned[index_of(input)] = 1;
        step.owned.push_back({input, is_stored(*step.op, i)});
      }
    }
    const auto first = node.inputs[0];
    const bool alone =
        is_activation(graph.value(first)) && readers[index_of(first)].size() == 1 && !outputs.contains(first);
    if (step.op->in_place && alone) {
      step.place = place[index_of(node.output)] = place[index_of(first)];
      buffers_[step.place].values.push_back(node.output);
    } else {
      step.place = open_buffer(node.output, now);
    }
    steps_.push_back(std::move(step));
  }
  for (const auto output : graph.outputs()) {
    if (is_activation(graph.value(output))) buffers_[place[index_of(output)]].last = steps_.size();
  }
}

/// By step, and once more for the end, when the outputs are alive.
std::vector<std::int64_t> CostModel::alive_bytes(const Extents& extents) const {
  std::vector<std::int64_t> alive(steps_.size() + 2, 0);  // changes at first
  for (const auto& buffer : buffers_) {
    std::int64_t bytes = 0;
    for (const auto value : buffer.values)
      bytes = std::max(bytes, element_count(extents.shapes[index_of(value)]));
    alive[buffer.first] += bytes;
    alive[buffer.last + 1] -= bytes;
  }
  std::partial_sum(alive.begin(), alive.end(), alive.begin());
  return alive;
}

NetworkCost CostModel::cost(const Extents& extents) const {
  NetworkCost total;
  const auto alive = alive_bytes(extents);
  std::vector<Shape> inputs;
  for (const auto& step : steps_) {
    inputs.clear();
    for (const auto input : step.node->inputs) inputs.push_back(extents.shapes[index_of(input)]);
    const auto changed = extents.rewrites.find(step.node->id);
    const bool rewritten = changed != extents.rewrites.end();
    const auto& attributes = rewritten ? changed->second.attributes : step.node->attributes;
    const Op& op = rewritten ? find_op(changed->second.op, step.node->name) : *step.op;
    const auto& output = extents.shapes[index_of(step.node->output)];
    const Cost work = op.cost({step.node->name, attributes, inputs}, output);
    NodeCost node{
        step.node->id, 0, work.macs, work.other_ops, element_count(output), alive[total.nodes.size()]};
    for (const auto& [id, stored] : step.owned) {
      const auto count = element_count(extents.shapes[index_of(id)]);
      if (graph_.value(id).kind == ValueKind::parameter) node.params += count;
      if (stored) total.flash_bytes += count;
    }
    if (has_weights(*step.op))
      total.flash_bytes += kBytesAChannel * output_channels(*step.op, inputs, output);
    // A norm that stays becomes a depthwise convolution of one int8 weight a channel.
    if (step.op->name == "batch_norm" && !step.folded)
      total.flash_bytes += (1 + kBytesAChannel) * inputs[1][0];
    total.params += node.params;
    total.macs += node.macs;
    total.other_ops += node.other_ops;
    total.nodes.push_back(node);
  }
  total.peak_ram_bytes = *std::max_element(alive.begin(), alive.end());
  return total;
}

NetworkCost cost_of(const Graph& graph) { return CostModel(graph).cost(extents_of(graph)); }

}  // namespace compress
