#include "plugins/strategies/steps.h"
#include "plugins/strategies/strategies.h"

namespace compress {
namespace {

/// Hybrid pruning (Mohaimenuzzaman et al., arXiv 2103.03483): unstructured magnitude sparsification with
/// retraining first, so that what the network can do without is already small, then whole channels by rank.
class Hybrid final : public Strategy {
 public:
  Hybrid(Step sparsify, std::int64_t steps, Selection selection)
      : sparsify_(sparsify), steps_(steps), selection_(selection) {}

  std::vector<Step> schedule(std::int64_t fine_tune_epochs) const override {
    std::vector<Step> all = {sparsify_};
    for (const auto& step : prune_steps(steps_, fine_tune_epochs)) all.push_back(step);
    return all;
  }
  PruningPlan plan(const PlanRequest& request) const override { return selection_.plan(request); }

 private:
  Step sparsify_;
  std::int64_t steps_;
  Selection selection_;
};

OptionTable hybrid_options() {
  OptionTable table = {
      {"sparsity", OptionType::number, "fraction of all conv and linear weights set to zero first", 0.95, 0.0,
       0.999},
      {"sparsify_epochs", OptionType::integer, "epochs of training with these weights held at zero",
       std::int64_t{10}, 0.0, 100000.0},
      {"steps", OptionType::integer, "structured steps after that, with training after each", std::int64_t{1},
       1.0, 1000.0}};
  for (auto& row : selection_options()) table.push_back(std::move(row));
  return table;
}

}  // namespace

void register_hybrid(Catalog<Strategy>& catalog) {
  catalog.add("hybrid", "sparsifies and retrains single weights first, then removes whole channels",
              hybrid_options(), [](const Options& options) {
                const Step sparsify{Step::Kind::sparsify, options.number("sparsity"),
                                    options.integer("sparsify_epochs")};
                return std::make_unique<Hybrid>(sparsify, options.integer("steps"), Selection(options));
              });
}

}  // namespace compress
