// The steps behind the 8-bit boundary: quantize, measure, export, verify.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "libcompress/analysis/cost.h"
#include "libcompress/base/files.h"
#include "libcompress/export/verify.h"
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

json int8_cost(const QuantizedGraph& graph) {
  return {{"params", parameter_count(graph)},
          {"macs", macs_of(graph)},
          {"flash_bytes", constant_bytes_of(graph) + factor_bytes(graph)}};
}

/// A generous limit: QEMU emulates a few hundred million instructions a second, the portable kernels take
/// about six a multiply-accumulate.
int emulation_seconds(const QuantizedGraph& graph, std::int64_t vectors) {
  constexpr std::int64_t kMacsPerSecond = 2'000'000;
  return static_cast<int>(std::min<std::int64_t>(3600, 120 + macs_of(graph) * vectors / kMacsPerSecond));
}

QuantizedGraph quantized(const Bench& bench) { return load_quantized(bench.folder.path(kQuantizedFile)); }

/// Inputs from the test part with the outputs of the reference executor.
std::vector<TestVector> record_vectors(const Bench& bench, const QuantizedGraph& graph, std::int64_t count) {
  const ReferenceExecutor reference(graph);
  const auto views = sample_views(bench.data, Part::test, count, bench.seed());
  const auto size = static_cast<std::size_t>(element_count(bench.data.input_shape()));
  std::vector<TestVector> vectors;
  for (std::size_t i = 0; i + size <= views.size(); i += size) {
    TestVector vector;
    vector.input = quantize_input(graph, {views.data() + i, size});
    vector.output = reference.run(vector.input);
    vectors.push_back(std::move(vector));
  }
  return vectors;
}

ExportResult run_exporter(const Bench& bench, const QuantizedGraph& graph) {
  const ExportOptions& options = *bench.recipe.exporting;
  const auto exporter = bench.plugins.exporters.make(options.choice.plugin, options.choice.options);
  return exporter->run({graph, options.name, record_vectors(bench, graph, bench.recipe.verify.vectors),
                        bench.data.class_names()});
}

Check check_of(std::string name, const VectorRun& run) {
  const auto verdict = run.status == VectorRun::Status::passed    ? Verdict::passed
                       : run.status == VectorRun::Status::skipped ? Verdict::skipped
                                                                  : Verdict::failed;
  const auto end = run.detail.find_last_not_of('\n') + 1;
  return {std::move(name), verdict, run.detail.substr(0, end)};
}

/// Runs both executors on every view and counts the bytes that differ.
class SideBySide {
 public:
  SideBySide(const QuantizedGraph& graph, CompiledNetwork& compiled)
      : reference_(graph), compiled_(compiled) {}

  std::vector<std::int8_t> run(const std::vector<std::int8_t>& input) {
    const auto expected = reference_.run(input);
    const auto found = compiled_.run(input);
    ++inputs_;
    bytes_ += static_cast<std::int64_t>(expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      different_ += i >= found.size() || expected[i] != found[i];
    return found;
  }

  Check check(const std::string& compiler) const {
    return {"C code compiled for this computer equals the int8 reference",
            different_ == 0 ? Verdict::passed : Verdict::failed,
            fmt::format("{} of {} output bytes differ over {} inputs ({})", different_, bytes_, inputs_,
                        compiler)};
  }

 private:
  ReferenceExecutor reference_;
  CompiledNetwork& compiled_;
  std::int64_t inputs_ = 0, bytes_ = 0, different_ = 0;
};

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
  if (options.fine_tune) result["history"] = history_json(history);
  if (difference.first_parting) result["first_parting"] = difference.layers[*difference.first_parting].value;
  return result;
}

}  // namespace

void quantize_step(const Bench& bench, const std::string& from) {
  record_training(bench, "quantize", kEightBits, [&] { return quantize_model(bench, from); });
}

json measure_int8(const Bench& bench) {
  const QuantizedGraph graph = quantized(bench);
  const ReferenceExecutor reference(graph);
  const Evaluation evaluation =
      evaluate_int8(graph, [&](const std::vector<std::int8_t>& input) { return reference.run(input); },
                    bench.data, {.reporter = &bench.reporter, .activity = "measure int8"});
  json result = evaluation_json(evaluation);
  result["cost"] = int8_cost(graph);
  return result;
}

json export_code(const Bench& bench) {
  const QuantizedGraph graph = quantized(bench);
  const ExportResult result = run_exporter(bench, graph);
  for (const auto& [name, content] : result.files) write_file(bench.folder.path("c/" + name), content);
  json arena = json::array();
  for (const auto& tensor : result.arena)
    arena.push_back({{"tensor", tensor.name},
                     {"offset", tensor.offset},
                     {"bytes", tensor.bytes},
                     {"first", tensor.first_node},
                     {"last", tensor.last_node}});
  return {{"arena", arena}, {"arena_bytes", result.arena_bytes}, {"constant_bytes", result.constant_bytes}};
}

json verify_code(const Bench& bench) {
  const VerifyOptions& options = bench.recipe.verify;
  const std::string& name = bench.recipe.exporting->name;
  const QuantizedGraph graph = quantized(bench);
  const ExportResult exported = run_exporter(bench, graph);
  std::vector<Check> checks;
  json result = {{"cost", int8_cost(graph)}};
  result["cost"]["peak_ram_bytes"] = exported.arena_bytes;
  const HostBuild host = compile_for_host(exported, name);
  if (host.network) {
    SideBySide both(graph, *host.network);
    const FirstClips clips(bench.data, options.clips);
    const Evaluation evaluation =
        evaluate_int8(graph, [&](const std::vector<std::int8_t>& input) { return both.run(input); }, clips,
                      {.reporter = &bench.reporter, .activity = "verify C"});
    result.update(evaluation_json(evaluation));
    checks.push_back(both.check(std::filesystem::path(host.compiler).filename().string()));
  } else {
    checks.push_back(
        {"C code compiled for this computer equals the int8 reference", Verdict::skipped, host.skipped});
  }
  if (options.microcontroller != "off") {
    stop_if_requested(bench.reporter);
    bench.reporter.message(Severity::info, "running the test vectors on a Cortex-M4 in QEMU");
    const CortexRun cortex = run_on_cortex_m4(exported, name, emulation_seconds(graph, options.vectors));
    stop_if_requested(bench.reporter);  // a step that was stopped is not recorded
    checks.push_back(check_of("C code on a Cortex-M4 in QEMU equals the int8 reference", cortex.run));
    if (options.microcontroller == "required" && cortex.run.status == VectorRun::Status::skipped)
      checks.back().verdict = Verdict::failed;
    result["cortex_m4"] = {{"code_bytes", cortex.size.code_bytes},
                           {"constant_bytes", cortex.size.constant_bytes}};
    if (cortex.size.code_bytes + cortex.size.constant_bytes > 0)
      result["cost"]["flash_bytes"] = cortex.size.code_bytes + cortex.size.constant_bytes;
  }
  result["checks"] = checks_json(checks);
  return result;
}

}  // namespace compress
