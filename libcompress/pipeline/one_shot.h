// Pruning at once, without training: what the command `prune` does to any network.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "libcompress/analysis/cost.h"
#include "libcompress/analysis/groups.h"
#include "libcompress/pipeline/plugins.h"
#include "libcompress/recipe/recipe.h"
#include "libcompress/report/report.h"
#include "libcompress/strategy/plan.h"

namespace compress {

struct OneShotRequest {
  const Model& model;
  std::span<const PruningGroup> groups;  ///< of model.graph
  const PruneOptions& prune;          ///< criterion, strategy, budget and limits; patterns are in the groups
  std::optional<double> amount{};     ///< fraction to remove of every group, in place of the budget
  const PruningPlan* plan = nullptr;  ///< carried out as it is, in place of amount and budget
  const Plugins& plugins;
  const ModelSource* family = nullptr;  ///< for the proof of spatial groups; may be nullptr
  std::uint64_t seed = 1;               ///< of the inputs of the proof
};

struct OneShot {
  PruningPlan plan;
  Model pruned;
  NetworkCost before, after;
  std::vector<Check> checks;  ///< against the masked twin, on random inputs
};

/// Error of kind budget if no group may be pruned or the budget cannot be met, of kind usage for a criterion
/// that needs data. A failed check is no Error: the caller decides.
OneShot prune_once(const OneShotRequest& request);

}  // namespace compress
