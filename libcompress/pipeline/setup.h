// From a resolved recipe to the objects that the steps work with.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "libcompress/analysis/groups.h"
#include "libcompress/base/progress.h"
#include "libcompress/pipeline/plugins.h"
#include "libcompress/recipe/recipe.h"
#include "libcompress/strategy/budget.h"

namespace compress {

/// Tables for the recipe checker.
PluginTables tables_of(const Plugins& plugins);

/// The network before anything is done to it: the recipe's file or checkpoint, or fresh weights from its
/// seed. `family` is nullptr where it is a file.
Model original_model(const Recipe& recipe, const ModelSource* family);

/// The recipe's model plugin, or nullptr where its network is a file.
std::unique_ptr<ModelSource> make_family(const Recipe& recipe, const Plugins& plugins);
std::unique_ptr<DataSet> make_data(const Recipe& recipe, const Plugins& plugins);

/// What the recipe asks of pruning, as the strategy room's values. Percentages are of `unpruned`.
Budget budget_of(const PruneOptions& prune, const NetworkCost& unpruned);
WidthLimits limits_of(const PruneOptions& prune);

/// Ignored and spatial patterns: the recipe's, and the family's own choice of spatial nodes (nullptr: none).
/// A pattern that matches no node of `graph` is an Error of kind recipe.
GroupOptions group_options(const PruneOptions& prune, const ModelSource* family, const Graph& graph);

/// One decision of what to keep.
struct PlanStep {
  const PruneOptions& prune;
  const Plugins& plugins;
  const Model& model;
  std::span<const PruningGroup> groups;  ///< of model.graph
  Budget budget;
  std::uint64_t seed = 0;
  std::function<const DataSet&()> data;  ///< called only if the criterion needs gradients
  Reporter& reporter;
  std::vector<std::int64_t> unpruned{};  ///< PlanRequest::unpruned
};

/// Scores every group by the recipe's criterion and lets its strategy select.
PruningPlan plan_step(const PlanStep& step);

}  // namespace compress
