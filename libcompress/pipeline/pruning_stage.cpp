// Pruning in a run: what comes before it, the steps of the strategy's schedule, and where they end.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "libcompress/pipeline/gate.h"
#include "libcompress/pipeline/setup.h"
#include "libcompress/pipeline/steps.h"
#include "libcompress/pipeline/target_fit.h"
#include "libcompress/train/evaluate.h"

namespace compress {
namespace {

using nlohmann::json;

/// "params 52311 (goal 40000), macs 812000 (goal 900000)".
std::string beside(const NetworkCost& cost, const Budget& goal) {
  std::vector<std::string> parts;
  for (const auto& bound : goal.bounds)
    parts.push_back(fmt::format("{} {} (goal {})", name_of(bound.resource), amount_of(bound.resource, cost),
                                bound.amount));
  return fmt::format("{}", fmt::join(parts, ", "));
}

class PruningStage {
 public:
  PruningStage(const Bench& bench, std::string unpruned)
      : bench_(bench),
        prune_(*bench.recipe.prune),
        unpruned_(std::move(unpruned)),
        current_(unpruned_),
        start_(cost_of(bench.model(unpruned_).graph)),
        goal_(budget_of(prune_, start_)),
        allowed_(group_options(prune_, bench.family, bench.model("original").graph)),
        schedule_(bench.plugins.strategies.make(prune_.strategy.plugin, prune_.strategy.options)
                      ->schedule(prune_.fine_tune ? prune_.fine_tune->epochs : 0)) {}

  /// The checkpoint of the last network, or of the last good one if the gate ended the schedule.
  std::string run() {
    if (prune_.group_lasso) draw_channels_together();
    for (std::size_t i = 0; i < schedule_.size(); ++i) {
      if (schedule_[i].kind == Step::Kind::prune) prune_at(i);
      if (schedule_[i].epochs > 0) train_at(i);
      if (is_judged(i) && !is_good(i)) return good_;
    }
    return current_;
  }

 private:
  std::string number(std::size_t i) const { return fmt::format("{}/{}", i + 1, schedule_.size()); }

  void draw_channels_together() {
    const auto& lasso = *prune_.group_lasso;
    train_step(bench_, {.name = "group lasso",
                        .from = current_,
                        .to = "regularized",
                        .options = lasso,
                        .group_lasso = lasso.strength});
    current_ = "regularized";
  }

  void prune_at(std::size_t i) {
    const std::string name = "prune " + number(i);
    const std::string to = fmt::format("step-{}-pruned", i + 1);
    bench_.folder.step(name, [&] {
      if (proof_views_.empty()) {
        proof_views_ = proof_views(bench_);
        unpruned_groups_ = find_groups(bench_.model("original").graph, allowed_);
      }
      return prune_step(bench_, {name, current_, to, interpolate(start_, goal_, schedule_[i].amount),
                                 allowed_, unpruned_groups_, views_of(i)});
    });
    current_ = to;
    undecided_.push_back(name);
    if (schedule_[i].amount == 1) refuse_unfit(target_before_export(bench_.recipe), bench_.model(to).graph);
  }

  /// The last pruning, whose network is the result, is proved on all views. The others take one half or the
  /// other in turn: a proof runs two networks, which is most of what a step costs beside its training.
  std::span<const float> views_of(std::size_t i) const {
    const auto later = std::span(schedule_).subspan(i + 1);
    if (std::ranges::none_of(later, [](const Step& s) { return s.kind == Step::Kind::prune; }))
      return proof_views_;
    const auto half = proof_views_.size() / 2;
    return std::span(proof_views_).subspan(i % 2 * half, half);
  }

  void train_at(std::size_t i) {
    const Step& step = schedule_[i];
    TrainStep training;
    training.from = current_;
    training.to = fmt::format("step-{}-tuned", i + 1);
    training.options = share_of(step.epochs);
    if (step.kind == Step::Kind::sparsify) {
      training.name = "sparsify " + number(i);
      training.sparsity = step.amount;
    } else {
      training.name = "fine-tune " + number(i);
      training.teacher = unpruned_;
      if (prune_.fine_tune) training.distillation = prune_.fine_tune->distillation;
    }
    train_step(bench_, training);
    current_ = training.to;
  }

  /// Training of one step: its epochs, and as large a part of the warm-up.
  TrainOptions share_of(std::int64_t epochs) const {
    TrainOptions share = prune_.fine_tune.value_or(FineTuneOptions{});
    share.warmup_epochs = share.warmup_epochs * epochs / std::max<std::int64_t>(share.epochs, 1);
    share.epochs = epochs;
    return share;
  }

  /// A network that is pruned again before it is trained is not judged: its accuracy says little.
  bool is_judged(std::size_t i) const {
    const Step& step = schedule_[i];
    if (!prune_.stop_at_gate || step.kind != Step::Kind::prune) return false;
    return step.epochs > 0 || i + 1 == schedule_.size() || !prune_.fine_tune;
  }

  bool is_good(std::size_t i) {
    const json before = bench_.folder.step(
        "validate unpruned", [&] { return validate_model(bench_, "validate unpruned", unpruned_); });
    const std::string name = "validate " + number(i);
    const json verdict = bench_.folder.step(name, [&] { return judge(name, i, before.at("accuracy")); });
    if (!verdict.at("good").get<bool>()) return false;
    good_ = current_;
    good_step_ = i;
    undecided_.clear();
    return true;
  }

  json judge(const std::string& name, std::size_t i, double unpruned_accuracy) const {
    json verdict = validate_model(bench_, name, current_);
    const double accuracy = verdict.at("accuracy");
    const auto missing = missed(*bench_.recipe.gate, unpruned_accuracy, accuracy);
    verdict["good"] = !missing;
    if (!missing) return verdict;
    const auto found = fmt::format("{:.2f} % on the validation part, {}: {}, allowed {}", 100 * accuracy,
                                   missing->where, missing->found, missing->allowed);
    if (good_.empty())
      throw Error(ErrorKind::accuracy,
                  {"prune " + number(i), found, "a network that passes the gate",
                   "take more steps, fine-tune longer, or set prune.stop_at_gate: false"});
    verdict["note"] = fmt::format(
        "pruning ended at the accuracy gate, before the budget: step {} had {}; step {} is kept, with {}",
        number(i), found, number(good_step_), beside(cost_of(bench_.model(good_).graph), goal_));
    verdict["rejected"] = undecided_;
    bench_.reporter.message(Severity::warning, verdict["note"].get<std::string>());
    return verdict;
  }

  const Bench& bench_;
  const PruneOptions& prune_;
  std::string unpruned_;  ///< checkpoint
  std::string current_;   ///< checkpoint
  NetworkCost start_;
  Budget goal_;
  GroupOptions allowed_;
  std::vector<Step> schedule_;
  std::vector<float> proof_views_;  ///< the same for all steps, as the groups; empty before the first
  std::vector<PruningGroup> unpruned_groups_;
  std::string good_;  ///< the last checkpoint that passed the gate; empty before
  std::size_t good_step_ = 0;
  std::vector<std::string> undecided_;  ///< names of the pruning steps behind it
};

}  // namespace

std::string prune_in_steps(const Bench& bench, const std::string& from) {
  return PruningStage(bench, from).run();
}

}  // namespace compress
