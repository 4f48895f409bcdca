#include <cmath>

#include "plugins/criteria/activations.h"
#include "plugins/criteria/criteria.h"

namespace compress {
namespace {

/// Channel ranking of Mohaimenuzzaman et al. (Pattern Recognition, 2023): z * dL/dz of what a layer makes,
/// before its norm, averaged over positions and examples with its sign; then absolute, and divided by the L2
/// norm of its layer, here its group.
class NormalizedTaylor final : public Criterion {
 public:
  bool needs_gradients() const override { return true; }

  std::vector<Scores> score_all(std::span<const PruningGroup> groups,
                                const ScoringContext& context) const override {
    auto totals = zeros(groups);
    const auto taps = IndexFlow(context.model.graph, groups).made();
    for_each_example(
        groups, context, taps, Weighting::mean, "normalized_taylor",
        [&](const Changes& changes) { add_terms(totals, changes, [](double change) { return change; }); });
    for (auto& scores : totals) normalize(scores);
    return totals;
  }

 protected:
  Scores score(const PruningGroup& group, const ScoringContext& context) const override {
    return score_all({&group, 1}, context).front();
  }

 private:
  static void normalize(Scores& scores) {
    double squares = 0.0;
    for (const auto score : scores) squares += score * score;
    if (squares == 0.0) return;
    for (auto& score : scores) score = std::fabs(score) / std::sqrt(squares);
  }
};

}  // namespace

void register_normalized_taylor(Catalog<Criterion>& catalog) {
  catalog.add("normalized_taylor",
              "Taylor saliency of a layer's outputs over its L2 norm (Mohaimenuzzaman et al., 2023)", {},
              [](const Options&) { return std::make_unique<NormalizedTaylor>(); });
}

}  // namespace compress
