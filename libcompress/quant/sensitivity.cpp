#include "libcompress/quant/sensitivity.h"

#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "libcompress/base/error.h"
#include "libcompress/quant/compare.h"
#include "libcompress/quant/simulation.h"
#include "libcompress/runtime/on_grid.h"

namespace compress {
namespace {

constexpr std::int64_t kBatch = 8;

/// A layer's result and the grids that its rounding has.
struct Layer {
  ValueId value;
  Grids grids;
};

bool keeps_scale(const QOp& op) {
  return std::holds_alternative<QMaxPool>(op) || std::holds_alternative<QTranspose>(op) ||
         std::holds_alternative<QReshape>(op) || std::holds_alternative<QPad>(op) ||
         std::holds_alternative<QSlice>(op) || std::holds_alternative<QResize>(op);
}

std::vector<Layer> layers_of(const Graph& folded, const QuantizedGraph& graph) {
  const auto all = grids_of(folded, graph);
  std::vector<Layer> layers;
  const auto add = [&](QValueId result, const std::string& node) {
    const auto value = folded.find_value(graph.value(result).name);
    if (!value || !all.contains(*value)) return;
    Layer layer{*value, {{*value, all.at(*value)}}};
    const auto id = folded.find_node(node);
    const auto weights = id ? std::span(folded.node(*id).inputs).subspan(1) : std::span<const ValueId>();
    for (const auto weight : weights) {
      const auto grid = all.find(weight);
      if (grid != all.end() && folded.value(weight).kind == ValueKind::parameter) layer.grids.insert(*grid);
    }
    layers.push_back(std::move(layer));
  };
  add(graph.inputs.front(), "");
  for (const auto& node : graph.nodes) {
    if (!keeps_scale(node.op)) add(node.output, node.name);
  }
  return layers;
}

class Analysis {
 public:
  Analysis(const Model& folded, at::Tensor inputs)
      : network_(folded, WeightUse::shared), inputs_(std::move(inputs)), exact_(outputs({})) {}

  LayerSensitivity of(const Layer& layer) const {
    const auto found = outputs(layer.grids);
    const double error = found.sub(exact_).square().sum().item<double>();
    const double signal = exact_.square().sum().item<double>();
    LayerSensitivity result{network_.graph().value(layer.value).name, sqnr_db(signal, error), 0};
    result.same_class = at::argmax(found, 1).eq(at::argmax(exact_, 1)).sum().item<std::int64_t>();
    return result;
  }

 private:
  /// [count, elements], float64.
  at::Tensor outputs(const Grids& grids) const {
    const auto output = network_.graph().outputs().front();
    const auto pass = pass_on(grids);
    std::vector<at::Tensor> parts;
    for (std::int64_t first = 0; first < inputs_.size(0); first += kBatch) {
      const auto batch = inputs_.narrow(0, first, std::min(kBatch, inputs_.size(0) - first));
      auto part = network_.forward(batch, pass);
      const auto grid = grids.find(output);  // nobody reads it
      if (grid != grids.end()) part = on_grid(part, grid->second);
      parts.push_back(part.reshape({batch.size(0), -1}).to(at::kDouble));
    }
    return at::cat(parts);
  }

  Network network_;
  at::Tensor inputs_;
  at::Tensor exact_;
};

}  // namespace

std::vector<LayerSensitivity> sensitivity(const Model& folded, const QuantizedGraph& graph,
                                          std::span<const float> inputs, std::int64_t count,
                                          Reporter& reporter) {
  const c10::NoGradGuard without_gradients;
  auto shape = folded.graph.value(folded.graph.inputs().front()).shape;
  shape[0] = count;
  if (count < 1 || static_cast<std::int64_t>(inputs.size()) != element_count(shape))
    throw Error(ErrorKind::usage,
                {"sensitivity", fmt::format("{} numbers for {} inputs", inputs.size(), count),
                 fmt::format("{} of shape {}", element_count(shape), to_string(shape)), ""});
  const Analysis analysis(folded, at::from_blob(const_cast<float*>(inputs.data()), shape, at::kFloat));
  std::vector<LayerSensitivity> result;
  const auto layers = layers_of(folded.graph, graph);
  for (const auto& layer : layers) {
    stop_if_requested(reporter);
    result.push_back(analysis.of(layer));
    reporter.progress("sensitivity", static_cast<std::int64_t>(result.size()),
                      static_cast<std::int64_t>(layers.size()), result.back().value);
  }
  return result;
}

std::string to_text(std::vector<LayerSensitivity> layers, std::int64_t inputs) {
  std::stable_sort(layers.begin(), layers.end(),
                   [](const auto& a, const auto& b) { return a.sqnr_db < b.sqnr_db; });
  std::string text = fmt::format("{:<28} {:>14} {:>16}\n", "alone in 8 bits", "output SQNR dB", "same class");
  for (const auto& layer : layers)
    text += fmt::format("{:<28} {:>14.1f} {:>9} of {:>3}\n", layer.value, layer.sqnr_db, layer.same_class,
                        inputs);
  return text;
}

}  // namespace compress
