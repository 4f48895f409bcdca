#include "libcompress/pipeline/one_shot.h"

#include <fmt/format.h>

#include <algorithm>

#include "libcompress/base/error.h"
#include "libcompress/pipeline/proof.h"
#include "libcompress/pipeline/setup.h"
#include "libcompress/strategy/select.h"
#include "libcompress/surgery/surgery.h"

namespace compress {
namespace {

constexpr int kDraws = 4;  // of inputs for the proof

void refuse_without_groups(const OneShotRequest& request) {
  if (std::any_of(request.groups.begin(), request.groups.end(),
                  [](const auto& group) { return group.prunable; }))
    return;
  throw Error(ErrorKind::budget,
              {fmt::format("network '{}'", request.model.name), "no group that may be pruned", "one at least",
               "`libcompress groups` gives the reason for each"});
}

std::vector<Scores> scores_of(const OneShotRequest& request) {
  const auto& choice = request.prune.criterion;
  const auto criterion = request.plugins.criteria.make(choice.plugin, choice.options);
  if (criterion->needs_gradients())
    throw Error(ErrorKind::usage, {fmt::format("criterion '{}'", choice.plugin), "needs gradients, so data",
                                   "a criterion of weights alone, such as magnitude",
                                   "or give both in a recipe (libcompress run)"});
  return criterion->score_all(request.groups, {request.model, request.seed, nullptr});
}

PruningPlan plan_of(const OneShotRequest& request, const NetworkCost& before) {
  if (request.plan) return *request.plan;
  const auto scores = scores_of(request);
  PlanRequest wanted{request.model, request.groups, scores, {}, limits_of(request.prune)};
  if (request.amount) return select_fraction(wanted, *request.amount);
  wanted.budget = budget_of(request.prune, before);
  const auto& choice = request.prune.strategy;
  return request.plugins.strategies.make(choice.plugin, choice.options)->plan(wanted);
}

std::vector<Inputs> draws_for(const OneShotRequest& request) {
  Random random(request.seed);
  std::vector<Inputs> draws;
  for (int i = 0; i < kDraws; ++i) draws.push_back(random_inputs(request.model.graph, random));
  return draws;
}

}  // namespace

OneShot prune_once(const OneShotRequest& request) {
  if (!request.plan) refuse_without_groups(request);
  OneShot done;
  done.before = cost_of(request.model.graph);
  done.plan = plan_of(request, done.before);
  done.pruned = prune(request.model, request.groups, done.plan);
  done.after = cost_of(done.pruned.graph);
  done.checks = prove_surgery("prune", request.model, request.groups, done.plan, done.pruned, request.family,
                              draws_for(request));
  return done;
}

}  // namespace compress
