#include "libcompress/pipeline/pipeline.h"

#include "libcompress/pipeline/gate.h"
#include "libcompress/pipeline/proof.h"
#include "libcompress/pipeline/run_folder.h"
#include "libcompress/pipeline/setup.h"
#include "libcompress/pipeline/steps.h"
#include "libcompress/pipeline/target_fit.h"
#include "libcompress/runtime/executor.h"
#include "libcompress/surgery/surgery.h"

namespace compress {
namespace {

using nlohmann::json;

void export_step(const Bench& bench, const PluginChoice& exporter, const std::string& suffix) {
  bench.folder.step("export" + suffix, [&] { return export_files(bench, exporter); });
  bench.folder.step("verify" + suffix, [&] { return verify_export(bench, exporter); });
}

/// The whole flow on one page. A step that state.json has is not done again.
void carry_out(const Bench& bench) {
  const Recipe& recipe = bench.recipe;
  RunFolder& folder = bench.folder;

  folder.step("load", [&] { return take_original(bench); });
  if (!recipe.prune) refuse_unfit(target_before_export(recipe), bench.model("original").graph);
  std::string current = "original";
  if (recipe.train) {
    train_step(bench, {.name = "train", .from = current, .to = "trained", .options = *recipe.train});
    current = "trained";
  }
  folder.step("measure original", [&, current] { return measure_model(bench, "measure original", current); });
  if (recipe.prune) {
    current = prune_in_steps(bench, current);
    folder.step("measure pruned", [&] { return measure_model(bench, "measure pruned", current); });
  }
  if (recipe.quantize) {
    quantize_step(bench, current);
    folder.step("measure int8", [&] { return measure_int8(bench); });
  }
  if (recipe.exporting) {
    export_step(bench, recipe.exporting->choice, "");
    for (const auto& plugin : recipe.exporting->also) export_step(bench, {plugin}, " " + plugin);
  }
}

std::optional<double> accuracy_of(const RunReport& report, std::string_view label) {
  for (const auto& network : report.networks) {
    if (network.label == label) return network.accuracy;
  }
  return std::nullopt;
}

/// Throws if a proof failed or the last network lost more than the recipe allows.
void pass_gate(const Recipe& recipe, const RunReport& report) {
  const auto before = accuracy_of(report, "original");
  const auto after = accuracy_of(report, recipe.quantize ? "int8" : "pruned");
  if (recipe.gate && before && after) {
    if (const auto complaint = missed(*recipe.gate, *before, *after))
      throw Error(ErrorKind::accuracy, *complaint);
  }
  refuse_unproved("proof failed", report.checks);
}

Error damaged_state(const std::filesystem::path& folder, const json::exception& error) {
  return {ErrorKind::input,
          {(folder / "state.json").string(), std::string("damaged: ") + error.what(), "",
           "remove the run folder and run again"}};
}

}  // namespace

RunReport run_recipe(const RunRequest& request) try {
  const Recipe& recipe = request.recipe;
  RunFolder folder(request.folder, to_yaml(recipe));
  const int threads = use_threads(static_cast<int>(recipe.threads));
  const auto family = make_family(recipe, request.plugins);
  const auto data = make_data(recipe, request.plugins);
  target_of(recipe);  // a mistake in its file is told before anything is trained
  Checkpoints checkpoints(folder);
  carry_out({recipe, request.plugins, request.reporter, folder, checkpoints, family.get(), *data, threads});
  folder.settle();
  const RunReport report = make_report(folder, folder.steps(), recipe);
  write_report(report, request.folder);
  pass_gate(recipe, report);
  return report;
} catch (const json::exception& error) {
  throw damaged_state(request.folder, error);
}

Preview preview_recipe(const Recipe& recipe, const Plugins& plugins, Reporter& reporter) {
  use_threads(static_cast<int>(recipe.threads));
  const auto family = make_family(recipe, plugins);
  Preview preview;
  preview.model = original_model(recipe, family.get());
  const Graph& graph = preview.model.graph;
  preview.before = cost_of(graph);
  if (!recipe.prune) {
    preview.groups = find_groups(graph);
    preview.plan = full_plan(graph, preview.groups);
  } else {
    preview.groups = find_groups(graph, group_options(*recipe.prune, family.get(), graph));
    std::unique_ptr<DataSet> data;
    const auto open_data = [&]() -> const DataSet& { return *(data = make_data(recipe, plugins)); };
    preview.plan = plan_step({*recipe.prune, plugins, preview.model, preview.groups,
                              budget_of(*recipe.prune, preview.before),
                              static_cast<std::uint64_t>(recipe.seed), open_data, reporter});
  }
  preview.pruned = pruned_graph(graph, preview.groups, preview.plan);
  preview.after = cost_of(preview.pruned);
  refuse_unfit(target_before_export(recipe), preview.pruned);
  return preview;
}

RunReport rebuild_report(const std::filesystem::path& folder) try {
  const Recipe recipe = parse_recipe(RunFolder::recipe_of(folder), folder / "recipe.yaml");
  const RunFolder opened(folder, to_yaml(recipe));
  const RunReport report = make_report(opened, opened.steps(), recipe);
  write_report(report, folder);
  return report;
} catch (const json::exception& error) {
  throw damaged_state(folder, error);
}

}  // namespace compress
