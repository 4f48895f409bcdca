#include "plugins/strategies/scheduled.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "libcompress/base/error.h"

namespace compress {
namespace {

std::int64_t steps_of(const Options& options) {
  const bool one_shot = options.string("schedule") == "one_shot";
  if (!options.has("steps")) return one_shot ? 1 : 4;
  const auto steps = options.integer("steps");
  if (one_shot && steps > 1)
    throw Error(ErrorKind::recipe, {"strategy, option 'steps'", fmt::format("{} steps at one shot", steps),
                                    "1", "say schedule: linear, cubic or one_group"});
  return steps;
}

/// How much of the way is gone after `part` (0 to 1) of the steps. Cubic: automated gradual pruning (Zhu and
/// Gupta, ICLR 2018 workshop), which removes most while much is redundant and little at the end.
double amount_at(double part, bool cubic) { return cubic ? 1.0 - std::pow(1.0 - part, 3.0) : part; }

}  // namespace

OptionTable scheduled_options() {
  return {
      {"schedule",
       OptionType::string,
       "one_shot: all at once; linear: equal shares a step; cubic: less and less a step; one_group: equal "
       "shares, each from the group that matters least",
       "one_shot",
       {},
       {},
       {"one_shot", "linear", "cubic", "one_group"}},
      {"steps",
       OptionType::integer,
       "steps of any other schedule than one_shot, with training after each; left out: 4",
       {},
       1.0,
       10000.0},
      {"keep_at_least", OptionType::number, "fraction of every layer that stays, whatever its scores", 0.05,
       0.0, 1.0}};
}

OptionTable ranked_options() {
  auto table = scheduled_options();
  table.push_back(
      {"compare",
       OptionType::string,
       "how scores of different layers are held against each other: as_scored; mean: divided by the "
       "layer's mean; survivors: divided by the sum of those that are not smaller, as LAMP does",
       "survivors",
       {},
       {},
       {"as_scored", "mean", "survivors"}});
  return table;
}

Selector ranked(const Options& options) {
  const auto name = options.string("compare");
  const auto comparison = name == "as_scored" ? Comparison::as_scored
                          : name == "mean"    ? Comparison::mean
                                              : Comparison::survivors;
  return [comparison](const WidthSpace& space) { return by_rank(space, comparison); };
}

Scheduled::Scheduled(const Options& options, Selector selector)
    : one_group_(options.string("schedule") == "one_group"),
      keep_at_least_(options.number("keep_at_least")),
      selector_(std::move(selector)) {
  const auto steps = steps_of(options);
  const bool cubic = options.string("schedule") == "cubic";
  for (std::int64_t i = 1; i < steps; ++i)
    amounts_.push_back(amount_at(static_cast<double>(i) / static_cast<double>(steps), cubic));
  amounts_.push_back(1.0);
}

std::vector<Step> Scheduled::schedule(std::int64_t fine_tune_epochs) const {
  std::vector<Step> steps;
  const auto count = static_cast<std::int64_t>(amounts_.size());
  for (std::int64_t i = 0; i < count; ++i) {
    const auto epochs = fine_tune_epochs * (i + 1) / count - fine_tune_epochs * i / count;
    steps.push_back({Step::Kind::prune, amounts_[static_cast<std::size_t>(i)], epochs});
  }
  return steps;
}

PruningPlan Scheduled::plan(const PlanRequest& request) const {
  PlanRequest limited = request;
  limited.limits.min_fraction = std::max(limited.limits.min_fraction, keep_at_least_);
  if (!one_group_) return select(limited, selector_);
  return select(limited, [this](const WidthSpace& space) {
    return one_group_at_a_time(space, selector_(space).worth);
  });
}

}  // namespace compress
