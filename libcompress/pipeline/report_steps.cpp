// From the figures that steps recorded to the report.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "libcompress/pipeline/json_figures.h"
#include "libcompress/pipeline/steps.h"

namespace compress {
namespace {

using nlohmann::json;

const json* result_of(const std::vector<FinishedStep>& steps, std::string_view name) {
  for (const auto& step : steps) {
    if (step.name == name) return &step.result;
  }
  return nullptr;
}

/// A measuring step as a row of the table of networks.
NetworkFigures figures_of(std::string label, const json& result) {
  NetworkFigures figures{std::move(label)};
  const auto& cost = result.at("cost");
  figures.params = cost.at("params");
  figures.macs = cost.at("macs");
  figures.flash_bytes = cost.at("flash_bytes");
  if (cost.contains("peak_ram_bytes")) figures.peak_ram_bytes = cost.at("peak_ram_bytes");
  if (result.contains("accuracy")) {
    figures.accuracy = result.at("accuracy");
    figures.correct = result.at("correct");
    figures.total = result.at("total");
  }
  return figures;
}

/// Every exporter has a step "export" and a step "verify"; further ones have their name behind it.
bool is_step(std::string_view kind, std::string_view name) {
  return name == kind || (name.starts_with(kind) && name[kind.size()] == ' ');
}

std::string label_of(const json& verified) {
  const std::string exporter = verified.value("exporter", "c");
  return exporter == "c" ? "C" : exporter;
}

void add_networks(RunReport& report, const std::vector<FinishedStep>& steps) {
  constexpr std::pair<const char*, const char*> kRows[] = {
      {"measure original", "original"}, {"measure pruned", "pruned"}, {"measure int8", "int8"}};
  for (const auto& [step, label] : kRows) {
    if (const json* result = result_of(steps, step)) report.networks.push_back(figures_of(label, *result));
  }
  for (const auto& step : steps) {
    if (is_step("verify", step.name))
      report.networks.push_back(figures_of(label_of(step.result), step.result));
    if (!is_step("export", step.name) || !step.result.contains("arena_bytes")) continue;
    for (auto& network : report.networks) {  // the arena is planned after the 8-bit network was measured
      if (network.label == "int8") network.peak_ram_bytes = step.result.at("arena_bytes");
    }
  }
}

/// Layers of both networks side by side; a layer that pruning removed has no shape afterwards.
void add_layers(RunReport& report, const std::vector<FinishedStep>& steps) {
  const json* before = result_of(steps, "measure original");
  const json* after = result_of(steps, "measure pruned");
  if (!before) return;
  if (!after) after = before;
  for (const auto& layer : before->at("layers")) {
    LayerChange change{
        layer.at("name"), layer.at("op"), layer.at("shape"), {}, layer.at("params"), 0, layer.at("macs"), 0};
    for (const auto& other : after->at("layers")) {
      if (other.at("name") != layer.at("name")) continue;
      change.shape_after = other.at("shape").get<Shape>();
      change.params_after = other.at("params");
      change.macs_after = other.at("macs");
    }
    report.layers.push_back(change);
  }
}

/// Pruning steps that were taken back at the accuracy gate.
std::set<std::string> rejected_steps(const std::vector<FinishedStep>& steps) {
  std::set<std::string> rejected;
  for (const auto& step : steps) {
    if (step.result.contains("rejected"))
      rejected.merge(step.result.at("rejected").get<std::set<std::string>>());
  }
  return rejected;
}

/// Width at the first pruning step and what the last one left.
void add_groups(RunReport& report, const json& groups) {
  for (const auto& row : groups) {
    const std::string name = row.at("name");
    const auto known = std::find_if(report.groups.begin(), report.groups.end(),
                                    [&](const auto& g) { return g.name == name; });
    if (known != report.groups.end()) {
      known->kept = row.at("kept");
    } else {
      report.groups.push_back({name, row.at("size"), row.at("kept"), row.at("note")});
    }
  }
}

void add_training(RunReport& report, const std::string& step, const json& history) {
  const auto optional = [](const json& row, const char* key) -> std::optional<double> {
    if (!row.contains(key) || row.at(key).is_null()) return std::nullopt;
    return row.at(key).get<double>();
  };
  for (const auto& row : history)
    report.training.push_back({step, row.at("epoch"), row.at("train_loss"), optional(row, "train_accuracy"),
                               optional(row, "validation_accuracy"), optional(row, "learning_rate")});
}

void add_quantization(RunReport& report, const json& layers) {
  for (const auto& row : layers) {
    LayerError error{.layer = row.at("layer"), .cosine = row.at("cosine"), .max_error = row.at("max_error")};
    error.bits = row.value("bits", std::int64_t{8});
    if (row.contains("alone_db")) error.alone_db = row.at("alone_db").get<double>();
    if (row.at("sqnr_db").is_number()) error.sqnr_db = row.at("sqnr_db").get<double>();
    report.quantization.push_back(error);
  }
}

void add_confusion(RunReport& report, const std::vector<FinishedStep>& steps) {
  for (const char* name : {"measure int8", "measure pruned", "measure original"}) {
    const json* result = result_of(steps, name);
    if (!result) continue;
    report.confusion.counts = result->at("confusion").get<std::vector<std::vector<std::int64_t>>>();
    const json* load = result_of(steps, "load");
    report.confusion.class_names = load->at("classes").get<std::vector<std::string>>();
    for (auto i = report.confusion.class_names.size(); i < report.confusion.counts.size(); ++i)
      report.confusion.class_names.push_back(std::to_string(i));
    return;
  }
}

void add_arena(RunReport& report, const json& arena) {
  for (const auto& row : arena)
    report.memory_plan.push_back(
        {row.at("tensor"), row.at("offset"), row.at("bytes"), row.at("first"), row.at("last")});
}

/// What a file of a run folder is, by its path (docs/formats.md).
std::string meaning_of(const std::string& path, const std::vector<FinishedStep>& steps) {
  for (const auto& step : steps) {
    if (!is_step("export", step.name)) continue;
    const std::string exporter = step.result.value("exporter", "c");
    if (path.starts_with(exporter + "/"))
      return exporter == "c" ? "exported C code" : "export of " + exporter;
  }
  if (path.ends_with(".state.safetensors")) return "state of a training";
  if (path.starts_with("checkpoints/")) return "network with its weights";
  if (path.starts_with("plan-")) return "pruning plan";
  if (path == "quantized.safetensors") return "8-bit network";
  if (path == "recipe.yaml") return "resolved recipe";
  if (path == "state.json") return "finished steps and their figures";
  if (path == "metrics.jsonl") return "one line an epoch";
  return "";
}

void add_files(RunReport& report, const RunFolder& folder, const std::vector<FinishedStep>& steps) {
  const auto root = folder.path("");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const auto name = std::filesystem::relative(entry.path(), root).generic_string();
    const bool own = name == "report.json" || name == "report.html" || name == ".lock";
    if (entry.is_regular_file() && !own)
      report.files.push_back({name, static_cast<std::int64_t>(entry.file_size()), meaning_of(name, steps)});
  }
  std::sort(report.files.begin(), report.files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
}

/// Float against 8 bits: what the accuracy became and where the arithmetic is farthest apart. Judged by the
/// recipe's gate; without one it is told and not judged.
void add_float_against_int8(RunReport& report, const Recipe& recipe, const std::vector<FinishedStep>& steps) {
  const json* before = result_of(steps, "measure original");
  const json* float_result = result_of(steps, recipe.prune ? "measure pruned" : "measure original");
  const json* int8 = result_of(steps, "measure int8");
  if (!before || !float_result || !int8 || report.quantization.empty()) return;
  const auto worst = std::min_element(
      report.quantization.begin(), report.quantization.end(),
      [](const auto& a, const auto& b) { return a.sqnr_db.value_or(200) < b.sqnr_db.value_or(200); });
  const double drop = 100 * (before->at("accuracy").get<double>() - int8->at("accuracy").get<double>());
  Check check{"8-bit network against the float network", Verdict::skipped, ""};
  check.detail =
      fmt::format("accuracy {:.2f} % in float, {:.2f} % in 8 bits; least signal to noise {:.1f} dB at {}",
                  100 * float_result->at("accuracy").get<double>(), 100 * int8->at("accuracy").get<double>(),
                  worst->sqnr_db.value_or(200), worst->layer);
  if (recipe.gate && recipe.gate->max_drop) {
    check.verdict = drop <= *recipe.gate->max_drop + 1e-9 ? Verdict::passed : Verdict::failed;
    check.detail +=
        fmt::format("; {:.2f} points below the original, {:g} allowed", drop, *recipe.gate->max_drop);
  } else {
    check.detail += "; not judged, for the recipe has no gate.max_drop";
  }
  report.checks.push_back(check);
}

}  // namespace

RunReport make_report(const RunFolder& folder, const std::vector<FinishedStep>& steps, const Recipe& recipe) {
  RunReport report;
  report.name = recipe.name;
  report.started = folder.started();
  report.recipe = to_yaml(recipe);
  report.seed = static_cast<std::uint64_t>(recipe.seed);
  add_networks(report, steps);
  add_layers(report, steps);
  const auto rejected = rejected_steps(steps);
  for (const auto& step : steps) {
    const json& result = step.result;
    report.stages.push_back({step.name, step.seconds});
    if (result.contains("threads")) report.threads = result.at("threads");
    if (result.contains("machine")) report.machine = result.at("machine");
    if (result.contains("note")) report.notes.push_back(result.at("note"));
    if (result.contains("groups") && !rejected.contains(step.name)) add_groups(report, result.at("groups"));
    if (result.contains("history")) add_training(report, step.name, result.at("history"));
    if (result.contains("quantization")) add_quantization(report, result.at("quantization"));
    if (result.contains("int16"))
      for (const auto& row : result.at("int16").at("nodes"))
        report.widths.push_back({row.at("node"), row.at("without_db"), row.at("bits")});
    if (result.contains("arena")) add_arena(report, result.at("arena"));
    if (result.contains("paper")) {
      for (const auto& [label, figure] : result.at("paper").items())
        report.notes.push_back(fmt::format("{}: {:.0f}", label, figure.get<double>()));
    }
    if (!result.contains("checks")) continue;
    for (const auto& check : checks_from(result.at("checks"))) report.checks.push_back(check);
  }
  add_float_against_int8(report, recipe, steps);
  add_confusion(report, steps);
  add_files(report, folder, steps);
  return report;
}

}  // namespace compress
