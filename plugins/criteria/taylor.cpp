#include <cmath>

#include "libcompress/strategy/slice_sums.h"
#include "plugins/criteria/activations.h"
#include "plugins/criteria/criteria.h"

namespace compress {
namespace {

constexpr auto kName = "taylor";

/// By group and index, from gradients of one batch, the sum of their products with the parameters of rank
/// `least_rank` or more.
std::vector<Scores> sums_of_products(std::span<const PruningGroup> groups, const Model& model,
                                     const StateDict& gradients, Terms::Kind kind, std::size_t least_rank) {
  SliceSums sums([&](const Value& value) -> Terms {
    const auto gradient = gradients.find(value.name);
    if (value.kind != ValueKind::parameter || gradient == gradients.end() || value.shape.size() < least_rank)
      return {};
    return {kind, model.weights.at(value.name).as<float>(), gradient->second.as<float>()};
  });
  return sums_of_groups(groups, model.graph, sums);
}

/// First-order Taylor saliency of weights (Molchanov et al., CVPR 2019): to first order the loss changes by
/// -sum(g * w) when the weights w that go with an index become zero; its square, averaged over batches, is
/// the score. The sum runs over every coupled slice of every trained parameter, as all of them go at once.
///
/// `absolute` takes each weight by itself: the sum of |g * w| over the weights of convolutions and linear
/// layers, averaged over batches (connection sensitivity, Lee et al., ICLR 2019).
class WeightTaylor final : public Criterion {
 public:
  explicit WeightTaylor(bool absolute) : absolute_(absolute) {}

  bool needs_gradients() const override { return true; }

  std::vector<Scores> score_all(std::span<const PruningGroup> groups,
                                const ScoringContext& context) const override {
    auto totals = zeros(groups);
    std::int64_t batches = 0;
    gradients_for(kName, context).for_each_batch([&](const StateDict& gradients) {
      ++batches;
      if (absolute_)
        add_terms(totals,
                  sums_of_products(groups, context.model, gradients, Terms::Kind::absolute_product, 2),
                  [](double sum) { return sum; });
      else
        add_terms(totals, sums_of_products(groups, context.model, gradients, Terms::Kind::product, 0),
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
  bool absolute_;
};

/// First-order Taylor saliency of feature maps (Molchanov et al., ICLR 2017): the absolute mean of z * dL/dz
/// over a feature map z, averaged over examples. z is what is read of an index, and what several weights read
/// of it counts together.
class ActivationTaylor final : public Criterion {
 public:
  bool needs_gradients() const override { return true; }

  std::vector<Scores> score_all(std::span<const PruningGroup> groups,
                                const ScoringContext& context) const override {
    const auto taps = IndexFlow(context.model.graph, groups).read();
    return mean_over_examples(groups, context, taps, Weighting::mean, kName,
                              [](double change) { return std::fabs(change); });
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
                "activations: what is read of the index (2017); weights: all that go with an index at once "
                "(2019); absolute: each weight by itself",
                "activations",
                {},
                {},
                {"activations", "weights", "absolute"}}},
              [](const Options& options) -> std::unique_ptr<Criterion> {
                if (options.string("form") == "activations") return std::make_unique<ActivationTaylor>();
                return std::make_unique<WeightTaylor>(options.string("form") == "absolute");
              });
}

}  // namespace compress
