// The steps before the 8-bit boundary: load, train, measure, prune.

#include <fmt/format.h>

#include "libcompress/analysis/cost.h"
#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/pipeline/calibration.h"
#include "libcompress/pipeline/json_figures.h"
#include "libcompress/pipeline/proof.h"
#include "libcompress/pipeline/setup.h"
#include "libcompress/pipeline/steps.h"
#include "libcompress/strategy/sparsify.h"
#include "libcompress/strategy/strategy.h"
#include "libcompress/surgery/surgery.h"
#include "libcompress/train/evaluate.h"
#include "libcompress/train/trainer.h"

namespace compress {
namespace {

using nlohmann::json;

constexpr std::int64_t kProofInputs = 8;  // even: steps before the last take half of them

/// metrics.jsonl: a line an epoch of every finished training, for people and scripts that watch the run.
void write_metrics(RunFolder& folder, const std::string& step, const std::vector<EpochMetrics>& history) {
  std::string lines;
  const auto add = [&lines](const std::string& name, const json& epochs) {
    for (json epoch : epochs) {
      epoch["step"] = name;
      lines += epoch.dump() + "\n";
    }
  };
  for (const auto& finished : folder.steps()) {
    if (finished.result.contains("history")) add(finished.name, finished.result.at("history"));
  }
  add(step, history_json(history));
  folder.later([file = folder.path("metrics.jsonl"), lines] { write_file(file, lines); });
}

std::filesystem::path state_file(const Bench& bench, const std::string& to) {
  return bench.folder.checkpoint(to + ".state");
}

json train_model(const Bench& bench, const TrainStep& step) {
  const Model start = bench.model(step.from);
  TrainJob job = job_of(bench, step.name, step.to);
  job.options = step.options;
  job.seed = bench.seed() ^ std::stoull(content_hash(step.name).substr(0, 16), nullptr,
                                        16);  // its own numbers for each step
  if (step.sparsity > 0) job.masks = magnitude_masks(start, step.sparsity);
  Model teacher;
  if (step.distillation) {
    teacher = bench.model(step.teacher);
    job.distillation.emplace(Distillation{teacher, *step.distillation});
  }
  std::vector<PruningGroup> groups;
  if (step.group_lasso) {
    const Graph original = bench.model("original").graph;
    groups = find_groups(start.graph, group_options(*bench.recipe.prune, bench.family, original));
    job.penalty = ChannelPenalty{groups, *step.group_lasso};
  }
  job.save_at_end = false;  // the checkpoint follows at once
  const TrainResult result = train(start, bench.data, job);
  bench.checkpoints.save(step.to, result.model);
  write_metrics(bench.folder, step.name, result.history);
  return {
      {"checkpoint", step.to}, {"best_epoch", result.best_epoch}, {"history", history_json(result.history)}};
}

void refuse_without_validation(const Bench& bench) {
  if (!bench.recipe.prune || !bench.recipe.prune->stop_at_gate || bench.data.size(Part::validation) > 0)
    return;
  throw Error(ErrorKind::recipe, {"prune.stop_at_gate", "data without a validation part to judge by",
                                  "a data set that has one", "or set it to false"});
}

}  // namespace

json take_original(const Bench& bench) {
  const Model model = original_model(bench.recipe, bench.family);
  check_fit(model.graph, bench.data);
  if (bench.recipe.prune) group_options(*bench.recipe.prune, bench.family, model.graph);  // refuses early
  refuse_without_validation(bench);
  bench.checkpoints.save("original", model);
  json paper = json::object();
  if (bench.family != nullptr) {
    for (const auto& [label, figure] : bench.family->paper_figures(model.graph)) paper[label] = figure;
  }
  return {{"threads", bench.threads},
          {"machine", machine_text()},
          {"data", bench.data.description()},
          {"classes", bench.data.class_names()},
          {"paper", paper}};
}

TrainJob job_of(const Bench& bench, const std::string& activity, const std::string& to) {
  TrainJob job;
  job.state_file = state_file(bench, to);
  job.activity = activity;
  job.reporter = &bench.reporter;
  job.on_epoch = [&bench](const EpochMetrics& metrics) {
    bench.folder.later([file = bench.folder.path("metrics.jsonl"), line = to_json_line(metrics)] {
      append_line(file, line);
    });
  };
  return job;
}

void record_training(const Bench& bench, const std::string& name, const std::string& to,
                     const std::function<json()>& work) {
  bench.folder.step(name, work);
  bench.folder.later([file = state_file(bench, to)] {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
  });
}

void train_step(const Bench& bench, const TrainStep& step) {
  record_training(bench, step.name, step.to, [&] { return train_model(bench, step); });
}

json measure_model(const Bench& bench, const std::string& step, const std::string& checkpoint) {
  const Model model = bench.model(checkpoint);
  EvaluateOptions options;
  options.reporter = &bench.reporter;
  options.activity = step;
  json result = evaluation_json(evaluate(model, bench.data, Part::test, options));
  result["cost"] = cost_json(cost_of(model.graph));
  result["layers"] = layers_json(model.graph);
  result["checkpoint"] = checkpoint;
  return result;
}

json validate_model(const Bench& bench, const std::string& step, const std::string& checkpoint) {
  const auto found = evaluate(bench.model(checkpoint), bench.data, Part::validation,
                              {.reporter = &bench.reporter, .activity = step});
  return {{"checkpoint", checkpoint},
          {"accuracy", found.accuracy()},
          {"correct", found.correct},
          {"total", found.total}};
}

std::vector<float> proof_views(const Bench& bench) {
  return sample_views(bench.data, Part::train, kProofInputs, bench.seed());
}

json prune_step(const Bench& bench, const PruneStep& step) {
  const Model model = bench.model(step.from);
  const auto groups = find_groups(model.graph, step.allowed);
  const auto data = [&]() -> const DataSet& { return bench.data; };
  const PruningPlan plan =
      plan_step({*bench.recipe.prune, bench.plugins, model, groups, step.budget, bench.seed(), data,
                 bench.reporter, unpruned_widths(groups, step.unpruned)});
  const Model pruned = prune(model, groups, plan);
  bench.folder.later([file = bench.folder.path("plan-" + step.to + ".json"), text = plan_to_json(plan)] {
    write_file(file, text);
  });
  bench.checkpoints.save(step.to, pruned);
  const std::vector<Inputs> draws = {as_inputs(model.graph, step.proof_views)};
  const auto checks = prove_surgery(step.name, model, groups, plan, pruned, bench.family, draws);
  return {{"checkpoint", step.to},
          {"cost", cost_json(cost_of(pruned.graph))},
          {"groups", groups_json(groups, plan)},
          {"checks", checks_json(checks)}};
}

}  // namespace compress
