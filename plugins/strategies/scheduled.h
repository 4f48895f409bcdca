// What the strategies of this folder share: schedules, and a plan made by a selector.
#pragma once

#include <cstdint>
#include <vector>

#include "libcompress/base/options.h"
#include "libcompress/strategy/select.h"
#include "libcompress/strategy/strategy.h"

namespace compress {

/// The options `schedule`, `steps` and `keep_at_least`.
OptionTable scheduled_options();

/// The same and `compare`; the selection by rank that it says.
OptionTable ranked_options();
Selector ranked(const Options& options);

/// Prunes in the steps that those options say, with training after each; each step's widths are those of a
/// selector.
class Scheduled : public Strategy {
 public:
  /// Error of kind recipe for `steps` beside a schedule that has but one.
  Scheduled(const Options& options, Selector selector);

  /// Steps share the epochs evenly; what does not divide goes to the later ones.
  std::vector<Step> schedule(std::int64_t fine_tune_epochs) const override;
  PruningPlan plan(const PlanRequest& request) const override;

 private:
  std::vector<double> amounts_;  ///< of the way to the budget, by step
  bool one_group_;
  double keep_at_least_;  ///< fraction of every group
  Selector selector_;
};

}  // namespace compress
