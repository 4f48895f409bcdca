// A strategy says when and how far to prune; the pipeline carries it out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "libcompress/base/catalog.h"
#include "libcompress/strategy/budget.h"
#include "libcompress/strategy/criterion.h"
#include "libcompress/strategy/plan.h"

namespace compress {

/// One step of a schedule. Every step ends with `epochs` of training.
struct Step {
  enum class Kind {
    sparsify,  ///< zero the `amount` (fraction) of weights that are smallest by magnitude and keep them zero
               ///< while training: unstructured
    prune,  ///< remove channels until `amount` of the whole way to the budget is gone (1 = the budget itself)
  };
  Kind kind = Kind::prune;
  double amount = 1.0;
  std::int64_t epochs = 0;
};

struct PlanRequest {
  const Model& model;                    ///< as it is at this step
  std::span<const PruningGroup> groups;  ///< of model.graph
  std::span<const Scores> scores;        ///< one a group, by the recipe's criterion
  Budget budget;                         ///< of this step
  WidthLimits limits;
};

/// Plugin interface.
class Strategy {
 public:
  virtual ~Strategy() = default;

  /// The steps in order; the last is a prune step with amount 1. `fine_tune_epochs` is what the recipe grants
  /// in all for steps that prune.
  virtual std::vector<Step> schedule(std::int64_t fine_tune_epochs) const = 0;

  /// What to keep. Error of kind budget if the budget cannot be reached within its tolerance, saying which
  /// constraint holds it and what can be reached.
  virtual PruningPlan plan(const PlanRequest& request) const = 0;
};

/// Removes the least scored indices over all groups until every bound of the budget holds, then gives back
/// what still fits, best first. Scores are divided by their group's mean, so that an index of a wide group
/// weighs as much as one of a narrow group (the L2 norm of Molchanov et al., ICLR 2017, is larger in a wide
/// group by the root of its width, which empties wide groups first). A network that already fits keeps
/// everything. Shared by strategies.
PruningPlan select_globally(const PlanRequest& request);

/// The same fraction of every group, the best scored indices of each.
PruningPlan select_uniformly(const PlanRequest& request);

/// Removes `fraction` (0 to below 1) of every group, rounded down to whole indices, the least scored first.
/// The limits hold, the request's budget is not looked at.
PruningPlan select_fraction(const PlanRequest& request, double fraction);

/// The bounds a step must reach on its way from `start` to the budget: geometric between both.
Budget interpolate(const NetworkCost& start, const Budget& budget, double amount);

}  // namespace compress
