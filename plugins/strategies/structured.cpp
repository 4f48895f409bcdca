#include "plugins/strategies/steps.h"
#include "plugins/strategies/strategies.h"

namespace compress {
namespace {

/// Removes whole channels: at once, or in steps with training between them.
class Structured final : public Strategy {
 public:
  Structured(std::int64_t steps, Selection selection) : steps_(steps), selection_(selection) {}

  std::vector<Step> schedule(std::int64_t fine_tune_epochs) const override {
    return prune_steps(steps_, fine_tune_epochs);
  }
  PruningPlan plan(const PlanRequest& request) const override { return selection_.plan(request); }

 private:
  std::int64_t steps_;
  Selection selection_;
};

OptionTable structured_options() {
  OptionTable table = {
      {"schedule",
       OptionType::string,
       "one_shot: all at once; iterative: in steps with training between",
       "one_shot",
       {},
       {},
       {"one_shot", "iterative"}},
      {"steps", OptionType::integer, "number of steps when iterative", std::int64_t{4}, 1.0, 1000.0}};
  for (auto& row : selection_options()) table.push_back(std::move(row));
  return table;
}

}  // namespace

void register_structured(Catalog<Strategy>& catalog) {
  catalog.add("structured", "removes whole channels by rank until the budget holds", structured_options(),
              [](const Options& options) {
                const bool iterative = options.string("schedule") == "iterative";
                return std::make_unique<Structured>(iterative ? options.integer("steps") : 1,
                                                    Selection(options));
              });
}

}  // namespace compress
