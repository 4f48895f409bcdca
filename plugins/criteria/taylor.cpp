#include "libcompress/base/error.h"
#include "libcompress/strategy/slice_sums.h"
#include "plugins/criteria/criteria.h"

namespace compress {
namespace {

/// First-order Taylor saliency (Molchanov et al., CVPR 2019): to first order the loss changes by -sum(g * w)
/// when the weights w that go with an index become zero; its square, averaged over batches, is the score. The
/// sum runs over every coupled slice of every trained parameter, as all of them go at once.
class Taylor final : public Criterion {
 public:
  bool needs_gradients() const override { return true; }

  std::vector<Scores> score_all(std::span<const PruningGroup> groups,
                                const ScoringContext& context) const override {
    if (!context.gradients)
      throw Error(ErrorKind::usage, {"criterion 'taylor'", "no training data", "a data set",
                                     "name one, or take a criterion that needs none ('magnitude')"});
    std::vector<Scores> totals;
    for (const auto& group : groups) totals.emplace_back(static_cast<std::size_t>(group.size), 0.0);
    std::int64_t batches = 0;
    context.gradients->for_each_batch([&](const StateDict& gradients) {
      ++batches;
      const auto changes = loss_changes(groups, context.model, gradients);
      for (std::size_t g = 0; g < groups.size(); ++g) {
        for (std::size_t i = 0; i < changes[g].size(); ++i) totals[g][i] += changes[g][i] * changes[g][i];
      }
    });
    if (batches == 0)
      throw Error(ErrorKind::input, {"criterion 'taylor'", "no batch of training data", "at least one", ""});
    for (auto& scores : totals) {
      for (auto& score : scores) score /= static_cast<double>(batches);
    }
    return totals;
  }

 protected:
  Scores score(const PruningGroup& group, const ScoringContext& context) const override {
    return score_all({&group, 1}, context).front();
  }

 private:
  static std::vector<Scores> loss_changes(std::span<const PruningGroup> groups, const Model& model,
                                          const StateDict& gradients) {
    SliceSums sums([&](const Value& value) -> Terms {
      const auto gradient = gradients.find(value.name);
      if (value.kind != ValueKind::parameter || gradient == gradients.end()) return {};
      return {Terms::Kind::product, model.weights.at(value.name).as<float>(), gradient->second.as<float>()};
    });
    return sums_of_groups(groups, model.graph, sums);
  }
};

}  // namespace

void register_taylor(Catalog<Criterion>& catalog) {
  catalog.add("taylor", "first-order Taylor saliency from gradients on training data", {},
              [](const Options&) { return std::make_unique<Taylor>(); });
}

}  // namespace compress
