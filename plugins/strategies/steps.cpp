#include "plugins/strategies/steps.h"

#include <algorithm>

namespace compress {

std::vector<Step> prune_steps(std::int64_t count, std::int64_t epochs) {
  std::vector<Step> steps;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto share = epochs * (i + 1) / count - epochs * i / count;
    steps.push_back({Step::Kind::prune, static_cast<double>(i + 1) / static_cast<double>(count), share});
  }
  return steps;
}

OptionTable selection_options() {
  return {{"selection",
           OptionType::string,
           "global: one ranking over all layers; uniform: the same fraction of every layer",
           "global",
           {},
           {},
           {"global", "uniform"}},
          {"keep_at_least", OptionType::number, "fraction of every layer that stays, whatever its scores",
           0.05, 0.0, 1.0}};
}

Selection::Selection(const Options& options)
    : uniform(options.string("selection") == "uniform"), keep_at_least(options.number("keep_at_least")) {}

PruningPlan Selection::plan(const PlanRequest& request) const {
  PlanRequest limited = request;
  limited.limits.min_fraction = std::max(limited.limits.min_fraction, keep_at_least);
  return uniform ? select_uniformly(limited) : select_globally(limited);
}

}  // namespace compress
