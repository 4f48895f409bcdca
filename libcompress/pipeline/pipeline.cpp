#include "libcompress/pipeline/pipeline.h"

#include <fmt/format.h>

#include <algorithm>

#include "libcompress/pipeline/proof.h"
#include "libcompress/pipeline/run_folder.h"
#include "libcompress/pipeline/setup.h"
#include "libcompress/pipeline/steps.h"
#include "libcompress/runtime/executor.h"
#include "libcompress/surgery/surgery.h"

namespace compress {
namespace {

using nlohmann::json;

/// A training as a step. Its state file goes only when the step is recorded: a kill in between repeats
/// nothing.
void train_step(const Bench& bench, const std::string& name, const std::string& from, const std::string& to,
                const TrainOptions& options, double sparsity) {
  bench.folder.step(name, [&] { return train_model(bench, name, from, to, options, sparsity); });
  std::error_code ignored;
  std::filesystem::remove(bench.folder.checkpoint(to + ".state"), ignored);
}

/// Sparsifies, prunes and fine-tunes as the strategy's schedule says; returns the name of the last
/// checkpoint.
std::string prune_in_steps(const Bench& bench, std::string from) {
  const PruneOptions& prune = *bench.recipe.prune;
  const auto strategy = bench.plugins.strategies.make(prune.strategy.plugin, prune.strategy.options);
  const NetworkCost start = cost_of(bench.model(from).graph);
  const Budget goal = budget_of(prune, start);
  const TrainOptions granted = prune.fine_tune.value_or(TrainOptions{});
  TrainOptions tuning = granted;  // of one step: its share of the epochs and of the warm-up
  const auto schedule = strategy->schedule(prune.fine_tune ? granted.epochs : 0);
  for (std::size_t i = 0; i < schedule.size(); ++i) {
    const Step& step = schedule[i];
    const std::string number = fmt::format("{}/{}", i + 1, schedule.size());
    const std::string file = fmt::format("step-{}", i + 1);
    double sparsity = step.amount;
    if (step.kind == Step::Kind::prune) {
      sparsity = 0;
      const std::string name = "prune " + number;
      bench.folder.step(name, [&] {
        return prune_model(bench, name, from, file + "-pruned", interpolate(start, goal, step.amount));
      });
      from = file + "-pruned";
    }
    if (step.epochs == 0) continue;
    tuning.warmup_epochs = granted.warmup_epochs * step.epochs / std::max<std::int64_t>(granted.epochs, 1);
    tuning.epochs = step.epochs;
    const std::string name = (sparsity > 0 ? "sparsify " : "fine-tune ") + number;
    train_step(bench, name, from, file + "-tuned", tuning, sparsity);
    from = file + "-tuned";
  }
  return from;
}

/// The whole flow on one page. A step that state.json has is not done again.
void carry_out(const Bench& bench) {
  const Recipe& recipe = bench.recipe;
  RunFolder& folder = bench.folder;

  folder.step("load", [&] { return take_original(bench); });
  std::string current = "original";
  if (recipe.train) {
    train_step(bench, "train", current, "trained", *recipe.train, 0);
    current = "trained";
  }
  folder.step("measure original", [&, current] { return measure_model(bench, "measure original", current); });
  if (recipe.prune) {
    current = prune_in_steps(bench, current);
    folder.step("measure pruned", [&] { return measure_model(bench, "measure pruned", current); });
  }
  if (recipe.quantize) {
    folder.step("quantize", [&] { return quantize_model(bench, current); });
    folder.step("measure int8", [&] { return measure_int8(bench); });
  }
  if (recipe.exporting) {
    folder.step("export", [&] { return export_code(bench); });
    folder.step("verify", [&] { return verify_code(bench); });
  }
}

std::optional<double> accuracy_of(const RunReport& report, std::string_view label) {
  for (const auto& network : report.networks) {
    if (network.label == label) return network.accuracy;
  }
  return std::nullopt;
}

/// Throws if the 8-bit network lost more than the recipe allows. Accuracies are 0 to 1.
void pass_accuracy(const GateOptions& gate, double before, double after) {
  const double drop = 100 * (before - after);
  if (gate.max_drop && drop > *gate.max_drop + 1e-9)
    throw Error(ErrorKind::accuracy,
                {"gate.max_drop", fmt::format("{:.2f} points lost", drop),
                 fmt::format("{:g} at most", *gate.max_drop), "fine-tune longer, or give a larger budget"});
  if (gate.min_accuracy && 100 * after < *gate.min_accuracy - 1e-9)
    throw Error(ErrorKind::accuracy, {"gate.min_accuracy", fmt::format("{:.2f} %", 100 * after),
                                      fmt::format("{:g} % or more", *gate.min_accuracy), ""});
}

/// Throws if a proof failed or the 8-bit network lost more than the recipe allows.
void pass_gate(const Recipe& recipe, const RunReport& report) {
  const auto before = accuracy_of(report, "original");
  const auto after = accuracy_of(report, "int8");
  if (recipe.gate && before && after) pass_accuracy(*recipe.gate, *before, *after);
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
  carry_out({recipe, request.plugins, request.reporter, folder, family.get(), *data, threads});
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
