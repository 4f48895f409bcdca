#include "plugins/strategies/scheduled.h"
#include "plugins/strategies/strategies.h"

namespace compress {
namespace {

/// Hybrid pruning (Mohaimenuzzaman et al., arXiv 2103.03483): unstructured magnitude sparsification with
/// retraining first, so that what the network can do without is already small, then whole channels by rank.
class Hybrid final : public Scheduled {
 public:
  explicit Hybrid(const Options& options)
      : Scheduled(options, ranked(options)),
        sparsify_{Step::Kind::sparsify, options.number("sparsity"), options.integer("sparsify_epochs")} {}

  std::vector<Step> schedule(std::int64_t fine_tune_epochs) const override {
    auto steps = Scheduled::schedule(fine_tune_epochs);
    steps.insert(steps.begin(), sparsify_);
    return steps;
  }

 private:
  Step sparsify_;
};

OptionTable hybrid_options() {
  OptionTable table = {
      {"sparsity", OptionType::number, "fraction of all conv and linear weights set to zero first", 0.95, 0.0,
       0.999},
      {"sparsify_epochs", OptionType::integer, "epochs of training with these weights held at zero",
       std::int64_t{10}, 0.0, 100000.0}};
  for (auto& row : ranked_options()) table.push_back(std::move(row));
  return table;
}

}  // namespace

void register_hybrid(Catalog<Strategy>& catalog) {
  catalog.add("hybrid", "sparsifies and retrains single weights first, then removes channels as global does",
              hybrid_options(), [](const Options& options) { return std::make_unique<Hybrid>(options); });
}

}  // namespace compress
