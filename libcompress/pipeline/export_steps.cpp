// The steps from the 8-bit network to files: export, and the proof that they are that network.

#include <fmt/format.h>

#include <algorithm>

#include "libcompress/base/files.h"
#include "libcompress/export/verify.h"
#include "libcompress/pipeline/calibration.h"
#include "libcompress/pipeline/json_figures.h"
#include "libcompress/pipeline/steps.h"
#include "libcompress/pipeline/target_fit.h"
#include "libcompress/quant/reference.h"
#include "libcompress/train/evaluate.h"

namespace compress {
namespace {

using nlohmann::json;

/// Inputs from the test part with the outputs of the reference executor.
std::vector<TestVector> record_vectors(const Bench& bench, const QuantizedGraph& graph, std::int64_t count) {
  const ReferenceExecutor reference(graph);
  const auto views = sample_views(bench.data, Part::test, count, bench.seed());
  const auto size = static_cast<std::size_t>(element_count(bench.data.input_shape()));
  std::vector<TestVector> vectors;
  for (std::size_t i = 0; i + size <= views.size(); i += size)
    vectors.push_back(record_vector(reference, quantize_input(graph, {views.data() + i, size})));
  return vectors;
}

/// The 8-bit network handed to one exporter.
struct Exported {
  QuantizedGraph graph;
  std::unique_ptr<Exporter> exporter;
  ExportRequest request;
  ExportResult result;

  Exported(const Bench& bench, const PluginChoice& choice)
      : graph(quantized_network(bench)),
        exporter(bench.plugins.exporters.make(choice.plugin, choice.options)),
        request{graph, bench.recipe.exporting->name,
                record_vectors(bench, graph, bench.recipe.verify.vectors), bench.data.class_names(),
                target_of(bench.recipe).value_or(Target{}).instructions},
        result(exporter->run(request)) {}
  Exported(const Exported&) = delete;  // the request refers to the graph
};

/// Runs both executors on every view and counts the bytes that differ.
class SideBySide {
 public:
  SideBySide(const QuantizedGraph& graph, ExportedNetwork& exported)
      : reference_(graph), exported_(exported) {}

  /// The first output of the exported network.
  std::vector<std::int8_t> run(const std::vector<std::int8_t>& input) {
    auto found = exported_.run(input);
    std::size_t position = 0;
    for (const auto& output : reference_.run_all(input)) {
      for (const auto byte : output) {
        different_ += position >= found.size() || found[position] != byte;
        ++position;
      }
    }
    ++inputs_;
    bytes_ += static_cast<std::int64_t>(position);
    found.resize(first_output_bytes());
    return found;
  }

  Verdict verdict() const { return different_ == 0 ? Verdict::passed : Verdict::failed; }
  std::string detail() const {
    return fmt::format("{} of {} output bytes differ over {} inputs", different_, bytes_, inputs_);
  }

 private:
  std::size_t first_output_bytes() const {
    const auto& graph = reference_.graph();
    return static_cast<std::size_t>(element_count(graph.value(graph.outputs.front()).shape));
  }

  ReferenceExecutor reference_;
  ExportedNetwork& exported_;
  std::int64_t inputs_ = 0, bytes_ = 0, different_ = 0;
};

/// Adds the accuracy of the exported network on the test part to `figures`.
Check prove(const Bench& bench, const Exported& exported, const std::string& plugin, json& figures) {
  const ExportProof proof = exported.exporter->prove(exported.request, exported.result);
  if (!proof.network) return {proof.claim, Verdict::skipped, proof.by};
  SideBySide both(exported.graph, *proof.network);
  const FirstClips clips(bench.data, bench.recipe.verify.clips);
  const Evaluation evaluation =
      evaluate_int8(exported.graph, [&](const std::vector<std::int8_t>& input) { return both.run(input); },
                    clips, {.reporter = &bench.reporter, .activity = "verify " + plugin});
  figures.update(evaluation_json(evaluation));
  return {proof.claim, both.verdict(), fmt::format("{} ({})", both.detail(), proof.by)};
}

/// A generous limit: QEMU emulates a few hundred million instructions a second, the portable kernels take
/// about six a multiply-accumulate.
int emulation_seconds(const QuantizedGraph& graph, std::int64_t vectors) {
  constexpr std::int64_t kMacsPerSecond = 2'000'000;
  return static_cast<int>(std::min<std::int64_t>(3600, 120 + macs_of(graph) * vectors / kMacsPerSecond));
}

Check check_of(std::string name, const VectorRun& run) {
  const auto verdict = run.status == VectorRun::Status::passed    ? Verdict::passed
                       : run.status == VectorRun::Status::skipped ? Verdict::skipped
                                                                  : Verdict::failed;
  const auto end = run.detail.find_last_not_of('\n') + 1;
  return {std::move(name), verdict, run.detail.substr(0, end)};
}

/// Adds the bytes that the compiled network takes to `figures`.
Check run_on_microcontroller(const Bench& bench, const Exported& exported, json& figures) {
  const VerifyOptions& options = bench.recipe.verify;
  stop_if_requested(bench.reporter);
  bench.reporter.message(Severity::info, "running the test vectors on a Cortex-M4 in QEMU");
  const CortexRun cortex = run_on_cortex_m4(exported.result, exported.request.name,
                                            emulation_seconds(exported.graph, options.vectors));
  stop_if_requested(bench.reporter);  // a step that was stopped is not recorded
  Check check = check_of("C code on a Cortex-M4 in QEMU equals the int8 reference", cortex.run);
  if (options.microcontroller == "required" && check.verdict == Verdict::skipped)
    check.verdict = Verdict::failed;
  figures["cortex_m4"] = {{"code_bytes", cortex.size.code_bytes},
                          {"constant_bytes", cortex.size.constant_bytes}};
  if (cortex.size.code_bytes + cortex.size.constant_bytes > 0)
    figures["cost"]["flash_bytes"] = cortex.size.code_bytes + cortex.size.constant_bytes;
  return check;
}

json arena_json(const std::vector<PlacedTensor>& arena) {
  json rows = json::array();
  for (const auto& tensor : arena)
    rows.push_back({{"tensor", tensor.name},
                    {"offset", tensor.offset},
                    {"bytes", tensor.bytes},
                    {"first", tensor.first_node},
                    {"last", tensor.last_node}});
  return rows;
}

}  // namespace

json export_files(const Bench& bench, const PluginChoice& choice) {
  const Exported exported(bench, choice);
  const ExportResult& result = exported.result;
  refuse_unfit(target_of(bench.recipe), result);
  json files = json::array();
  for (const auto& [name, content] : result.files) {
    const auto path = choice.plugin + "/" + name;
    write_file(bench.folder.path(path), content);
    files.push_back(path);
  }
  json figures = {{"exporter", choice.plugin}, {"files", files}, {"constant_bytes", result.constant_bytes}};
  if (result.arena_bytes > 0) {
    figures["arena"] = arena_json(result.arena);
    figures["arena_bytes"] = result.arena_bytes;
  }
  return figures;
}

json verify_export(const Bench& bench, const PluginChoice& choice) {
  const Exported exported(bench, choice);
  json figures = {{"exporter", choice.plugin}, {"cost", int8_cost(exported.graph)}};
  if (exported.result.arena_bytes > 0) figures["cost"]["peak_ram_bytes"] = exported.result.arena_bytes;
  std::vector<Check> checks = {prove(bench, exported, choice.plugin, figures)};
  if (exported.exporter->tests_microcontrollers() && bench.recipe.verify.microcontroller != "off")
    checks.push_back(run_on_microcontroller(bench, exported, figures));
  figures["checks"] = checks_json(checks);
  return figures;
}

}  // namespace compress
