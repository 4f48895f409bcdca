// The steps into 8 bits: quantize, measure. export_steps.cpp has what follows.

#include <algorithm>
#include <filesystem>

#include "libcompress/pipeline/calibration.h"
#include "libcompress/pipeline/json_figures.h"
#include "libcompress/pipeline/steps.h"
#include "libcompress/quant/compare.h"
#include "libcompress/quant/quantize.h"
#include "libcompress/quant/quantized_file.h"
#include "libcompress/quant/reference.h"
#include "libcompress/quant/sensitivity.h"
#include "libcompress/train/evaluate.h"

namespace compress {
namespace {

using nlohmann::json;

constexpr const char* kQuantizedFile = "quantized.safetensors";
constexpr const char* kEightBits = "int8";  // names the state of its training
constexpr std::int64_t kComparedInputs = 16;

/// Multipliers (int32) and shifts (int8), which the exported code stores beside the constants of the graph.
std::int64_t factor_bytes(const QuantizedGraph& graph) {
  std::size_t factors = 0;
  for (const auto& node : graph.nodes) {
    if (const auto* conv = std::get_if<QConv>(&node.op)) factors += conv->requantization.size();
    if (const auto* linear = std::get_if<QLinear>(&node.op)) factors += linear->requantization.size();
  }
  return 5 * static_cast<std::int64_t>(factors);
}

TrainJob eight_bit_job(const Bench& bench) {
  constexpr std::uint64_t kSalt = 0x8b175;  // its own numbers
  TrainJob job = job_of(bench, "fine-tune int8", kEightBits);
  job.seed = bench.seed() ^ kSalt;
  return job;
}

json quantize_model(const Bench& bench, const std::string& from) {
  const QuantizeOptions& options = *bench.recipe.quantize;
  const Model model = bench.model(from);
  const auto size = element_count(bench.data.input_shape());
  const auto file = options.inputs ? resolved(bench.recipe, *options.inputs) : std::filesystem::path();
  ArraySource inputs(calibration_inputs(file, bench.data, options.samples, bench.seed()), size);
  auto made = quantize_as(options, model, inputs, bench.plugins, bench.reporter);
  std::vector<EpochMetrics> history;
  if (options.fine_tune) made = fine_tuned(made, options, bench.data, eight_bit_job(bench), &history);
  save_quantized(bench.folder.path(kQuantizedFile), made.graph);
  const auto compared = std::min(options.samples, kComparedInputs);
  const auto views = sample_views(bench.data, Part::train, compared, bench.seed() + 1);
  const auto difference = compare(made.folded, made.graph, views, compared);
  const auto alone = sensitivity(made.folded, made.graph, views, compared, bench.reporter);
  json result = {{"quantization", layer_errors_json(difference, alone)}, {"samples", options.samples}};
  if (made.search) result["int16"] = width_search_json(*made.search);
  if (options.fine_tune) result["history"] = history_json(history);
  if (difference.first_parting) result["first_parting"] = difference.layers[*difference.first_parting].value;
  return result;
}

}  // namespace

QuantizedGraph quantized_network(const Bench& bench) {
  return load_quantized(bench.folder.path(kQuantizedFile));
}

json int8_cost(const QuantizedGraph& graph) {
  return {{"params", parameter_count(graph)},
          {"macs", macs_of(graph)},
          {"flash_bytes", constant_bytes_of(graph) + factor_bytes(graph)}};
}

void quantize_step(const Bench& bench, const std::string& from) {
  record_training(bench, "quantize", kEightBits, [&] { return quantize_model(bench, from); });
}

json measure_int8(const Bench& bench) {
  const QuantizedGraph graph = quantized_network(bench);
  const ReferenceExecutor reference(graph);
  const Evaluation evaluation =
      evaluate_int8(graph, [&](const std::vector<std::int8_t>& input) { return reference.run(input); },
                    bench.data, {.reporter = &bench.reporter, .activity = "measure int8"});
  json result = evaluation_json(evaluation);
  result["cost"] = int8_cost(graph);
  return result;
}

}  // namespace compress
