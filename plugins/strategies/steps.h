// What the strategies of this folder share: a row of prune steps and the choice of a selection.
#pragma once

#include <cstdint>
#include <vector>

#include "libcompress/base/options.h"
#include "libcompress/strategy/strategy.h"

namespace compress {

/// `count` prune steps that share `epochs`; what does not divide evenly goes to the last ones.
std::vector<Step> prune_steps(std::int64_t count, std::int64_t epochs);

/// The options `selection` and `keep_at_least`.
OptionTable selection_options();

/// How a strategy chooses, as those options say.
struct Selection {
  bool uniform = false;
  double keep_at_least = 0.0;  ///< fraction of every group

  explicit Selection(const Options& options);
  PruningPlan plan(const PlanRequest& request) const;
};

}  // namespace compress
