#include "plugins/criteria/activations.h"
#include "plugins/criteria/criteria.h"

namespace compress {
namespace {

/// Group Fisher (Liu et al., ICML 2021), which for a plain chain is Fisher pruning (Theis et al., 2018): half
/// the mean over examples of the squared gradient by a mask on what is read of an index, where whatever goes
/// at once has one mask. It is the diagonal of the Fisher information by which the loss grows.
class Fisher final : public Criterion {
 public:
  bool needs_gradients() const override { return true; }

  std::vector<Scores> score_all(std::span<const PruningGroup> groups,
                                const ScoringContext& context) const override {
    const auto taps = IndexFlow(context.model.graph, groups).read();
    auto scores = mean_over_examples(groups, context, taps, Weighting::sum, "fisher",
                                     [](double change) { return change * change; });
    scale(scores, 0.5);
    return scores;
  }

 protected:
  Scores score(const PruningGroup& group, const ScoringContext& context) const override {
    return score_all({&group, 1}, context).front();
  }
};

}  // namespace

void register_fisher(Catalog<Criterion>& catalog) {
  catalog.add("fisher",
              "diagonal Fisher information of each group's mask (Liu et al., 2021; Theis et al., 2018)", {},
              [](const Options&) { return std::make_unique<Fisher>(); });
}

}  // namespace compress
