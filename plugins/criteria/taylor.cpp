#include <cmath>

#include "libcompress/strategy/slice_sums.h"
#include "plugins/criteria/activations.h"
#include "plugins/criteria/criteria.h"

namespace compress {
namespace {

constexpr auto kName = "taylor";

/// First-order Taylor saliency of weights (Molchanov et al., CVPR 2019): to first order the loss changes by
/// -sum(g * w) when the weights w that go with an index become zero; its square, averaged over batches, is
/// the score. The sum runs over every coupled slice of every trained parameter, as all of them go at once.
class WeightTaylor final : public Criterion {
 public:
  bool needs_gradients() const override { return true; }

  std::vector<Scores> score_all(std::span<const PruningGroup> groups,
                                const ScoringContext& context) const override {
    auto totals = zeros(groups);
    std::int64_t batches = 0;
    gradients_for(kName, context).for_each_batch([&](const StateDict& gradients) {
      ++batches;
      add_terms(totals, loss_changes(groups, context.model, gradients),
                [](double change) { return change * change; });
    });
    check_seen(kName, batches);
    scale(totals, 1.0 / static_cast<double>(batches));
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

/// First-order Taylor saliency of feature maps (Molchanov et al., ICLR 2017): the absolute mean of z * dL/dz
/// over a feature map z, averaged over examples. z is what is read of an index, and what several weights read
/// of it counts together.
class ActivationTaylor final : public Criterion {
 public:
  bool needs_gradients() const override { return true; }

  std::vector<Scores> score_all(std::span<const PruningGroup> groups,
                                const ScoringContext& context) const override {
    auto totals = zeros(groups);
    std::int64_t examples = 0;
    const auto taps = IndexFlow(context.model.graph, groups).read();
    for_each_example(groups, context, taps, Weighting::mean, kName, [&](const Changes& changes) {
      ++examples;
      add_terms(totals, changes, [](double change) { return std::fabs(change); });
    });
    scale(totals, 1.0 / static_cast<double>(examples));
    return totals;
  }

 protected:
  Scores score(const PruningGroup& group, const ScoringContext& context) const override {
    return score_all({&group, 1}, context).front();
  }
};

}  // namespace

void register_taylor(Catalog<Criterion>& catalog) {
  catalog.add("taylor", "first-order change of the loss, from weights or activations (Molchanov et al.)",
              {{"form",
                OptionType::string,
                "weights: all that go with an index (2019); activations: what is read of it (2017)",
                "weights",
                {},
                {},
                {"weights", "activations"}}},
              [](const Options& options) -> std::unique_ptr<Criterion> {
                if (options.string("form") == "activations") return std::make_unique<ActivationTaylor>();
                return std::make_unique<WeightTaylor>();
              });
}

}  // namespace compress
