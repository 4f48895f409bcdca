#include "libcompress/quant/weight_repair.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "libcompress/quant/adaround.h"
#include "libcompress/quant/layer_moments.h"
#include "libcompress/quant/simulation.h"
#include "libcompress/runtime/kernels.h"
#include "libcompress/runtime/network.h"
#include "libcompress/runtime/on_grid.h"

namespace compress {
namespace {

bool is_layer(const Node& node) { return node.op == "conv" || node.op == "linear"; }

/// A value as the float network and as the quantized one have it, for all examples.
struct Both {
  at::Tensor exact, rounded;
};

/// Runs both networks side by side and repairs each layer before what it feeds is computed.
class Walk {
 public:
  Walk(Model model, const QuantizedGraph& graph, const WeightRepairs& repairs, Reporter& reporter)
      : model_(std::move(model)),
        graph_(model_.graph),
        grids_(grids_of(graph_, graph)),
        repairs_(repairs),
        reporter_(reporter) {
    for (auto& [name, tensor] : model_.weights) tensor = tensor.clone();
  }

  Model run(std::span<const float> inputs, std::int64_t count) {
    const c10::NoGradGuard without_gradients;
    const auto id = graph_.inputs().front();
    auto shape = graph_.value(id).shape;
    shape[0] = count;
    const auto input = at::from_blob(const_cast<float*>(inputs.data()), shape, at::kFloat);
    values_[id] = {input, rounded(id, input)};
    const auto order = graph_.topological_order();
    for (const auto node : order) {
      for (const auto read : graph_.node(node).inputs) ++readers_[read];
    }
    std::int64_t done = 0;
    for (const auto node : order) {
      stop_if_requested(reporter_);
      step(graph_.node(node));
      reporter_.progress("repair weights", ++done, static_cast<std::int64_t>(order.size()), "");
    }
    verify(model_);
    return std::move(model_);
  }

 private:
  at::Tensor rounded(ValueId id, const at::Tensor& tensor) const {
    const auto grid = grids_.find(id);
    return grid == grids_.end() ? tensor : on_grid(tensor, grid->second);
  }

  at::Tensor weight(ValueId id) { return as_torch(model_.weights.find(graph_.value(id).name)->second); }

  bool is_stored(ValueId id) const {
    const auto kind = graph_.value(id).kind;
    return kind == ValueKind::parameter || kind == ValueKind::buffer;
  }

  /// Whether all weights are stored and no other node reads them.
  bool owns_weights(const Node& node) const {
    return std::all_of(node.inputs.begin() + 1, node.inputs.end(),
                       [&](ValueId id) { return is_stored(id) && graph_.consumers(id).size() == 1; });
  }

  at::Tensor compute(const Node& node, bool of_rounded) {
    std::vector<at::Tensor> operands;
    for (const auto id : node.inputs) {
      if (!is_stored(id))
        operands.push_back(of_rounded ? values_.at(id).rounded : values_.at(id).exact);
      else
        operands.push_back(of_rounded ? rounded(id, weight(id)) : weight(id));
    }
    return find_kernel(node.op)({node.attributes, operands, Mode::evaluate, {}});
  }

  void step(const Node& node) {
    Both result{compute(node, false), {}};
    const bool repaired = is_layer(node) && node.inputs.size() > 2 && owns_weights(node);
    if (repaired && repairs_.adaround) round_weights(node);
    auto output = compute(node, true);
    if (repaired && repairs_.bias_correction) output = corrected(node, result.exact, output);
    result.rounded = rounded(node.output, output);
    for (const auto id : node.inputs) {
      if (--readers_[id] == 0) values_.erase(id);
    }
    values_[node.output] = std::move(result);
  }

  /// Adds to the bias, and to `output`, what it lost in the mean of each channel.
  at::Tensor corrected(const Node& node, const at::Tensor& exact, const at::Tensor& output) {
    const std::int64_t channel_axis = node.op == "conv" ? 1 : output.dim() - 1;
    const auto lost = exact.sub(output).movedim(channel_axis, 0).flatten(1).mean(1);
    weight(node.inputs[2]).add_(lost);
    Shape along(static_cast<std::size_t>(output.dim()), 1);
    along[static_cast<std::size_t>(channel_axis)] = lost.size(0);
    return output.add(lost.reshape(along));
  }

  void round_weights(const Node& node) {
    const auto& shape = graph_.value(node.inputs[1]).shape;
    const auto grid = grids_.find(node.inputs[1]);
    if (grid == grids_.end() || shape.size() > 4) return;
    const auto& x = values_.at(node.inputs[0]);
    const auto moments = moments_of(node, shape, x.exact, x.rounded, repairs_.bias_correction);
    auto weights = weight(node.inputs[1]);
    const auto rows = weights.flatten(1);
    const auto in_group = shape[0] / static_cast<std::int64_t>(moments.size());
    std::vector<at::Tensor> made;
    for (std::int64_t g = 0; g < static_cast<std::int64_t>(moments.size()); ++g)
      made.push_back(round_adaptively(rows.narrow(0, g * in_group, in_group),
                                      part_of(grid->second, g * in_group, in_group),
                                      moments[static_cast<std::size_t>(g)]));
    rows.copy_(at::cat(made));
  }

  static Grid part_of(Grid grid, std::int64_t first, std::int64_t count) {
    if (grid.scales.size() == 1) return grid;
    const auto begin = grid.scales.begin() + first;
    grid.scales = {begin, begin + count};
    return grid;
  }

  Model model_;
  const Graph& graph_;
  Grids grids_;
  WeightRepairs repairs_;
  Reporter& reporter_;
  std::map<ValueId, Both> values_;
  std::map<ValueId, int> readers_;
};

}  // namespace

Model repair_weights(const Model& folded, const QuantizedGraph& graph, std::span<const float> inputs,
                     std::int64_t count, const WeightRepairs& repairs, Reporter& reporter) {
  return Walk(with_biases(folded), graph, repairs, reporter).run(inputs, count);
}

Model with_biases(const Model& folded) {
  const auto& old = folded.graph;
  Model model{folded.name, {}, folded.weights, folded.metadata};
  std::map<ValueId, ValueId> moved;
  for (const auto& value : old.values()) {
    if (value.kind == ValueKind::input)
      moved[value.id] = model.graph.add_input(value.name, value.shape, value.dtype);
    if (value.kind == ValueKind::parameter)
      moved[value.id] = model.graph.add_parameter(value.name, value.shape);
    if (value.kind == ValueKind::buffer) moved[value.id] = model.graph.add_buffer(value.name, value.shape);
  }
  for (const auto id : old.topological_order()) {
    const auto& node = old.node(id);
    std::vector<ValueId> inputs;
    for (const auto input : node.inputs) inputs.push_back(moved.at(input));
    if (is_layer(node) && inputs.size() == 2) {
      auto name = node.name + ".bias";
      while (model.graph.find_value(name) || old.find_value(name)) name += "_added";
      const Shape shape = {old.value(node.inputs[1]).shape[0]};
      inputs.push_back(model.graph.add_parameter(name, shape));
      model.weights[name] = Tensor(DType::float32, shape);
    }
    moved[node.output] = model.graph.add_node(node.op, node.name, inputs, node.attributes);
  }
  std::vector<ValueId> outputs;
  for (const auto id : old.outputs()) outputs.push_back(moved.at(id));
  model.graph.set_outputs(outputs);
  return model;
}

}  // namespace compress
