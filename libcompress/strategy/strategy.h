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
  /// By group: its width in the unpruned network, which limits that are fractions are of. Empty: as it is.
  std::vector<std::int64_t> unpruned{};
};

/// Plugin interface. strategy/select.h has what most of a strategy is made of.
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

/// PlanRequest::unpruned of `groups`: the sizes of those of `before` that have the same names.
std::vector<std::int64_t> unpruned_widths(std::span<const PruningGroup> groups,
                                          std::span<const PruningGroup> before);

}  // namespace compress
