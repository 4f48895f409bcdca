// Carries out a plan: the smaller graph, its weights, and the proof that nothing else changed.
#pragma once

#include <span>

#include "libcompress/analysis/groups.h"
#include "libcompress/strategy/plan.h"

namespace compress {

/// The graph after the plan, without weights: what `plan` predicts costs from. Verified: moving the surviving
/// ids through the small graph gives the survivors of the moved ids at every node; a bug of a coupling rule
/// is an Error here, never a wrong network.
Graph pruned_graph(const Graph& graph, std::span<const PruningGroup> groups, const PruningPlan& plan);

/// The model after the plan. Weights are copied; the given model stays as it is.
Model prune(const Model& model, std::span<const PruningGroup> groups, const PruningPlan& plan);

/// The unpruned model with the removed indices' weights, biases and norm parameters zeroed. A layer or group
/// norm over pruned indices takes its statistics over the surviving ones, as the pruned network does, and
/// gives zero at the others (the twin's graph then has nodes of its own around that norm). Its output equals
/// that of prune() for groups that are not spatial.
Model masked_twin(const Model& model, std::span<const PruningGroup> groups, const PruningPlan& plan);

}  // namespace compress
