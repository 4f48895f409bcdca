#include <cmath>

#include "plugins/criteria/criteria.h"

namespace compress {
namespace {

/// In four sums side by side: one sum waits for each addition before the next.
template <typename Map>
double sum_of(std::span<const float> weights, Map map) {
  double sums[4] = {};
  std::size_t i = 0;
  for (; i + 4 <= weights.size(); i += 4) {
    for (std::size_t k = 0; k < 4; ++k) sums[k] += map(static_cast<double>(weights[i + k]));
  }
  for (; i < weights.size(); ++i) sums[0] += map(static_cast<double>(weights[i]));
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// Magnitude (Li et al., ICLR 2017), over every coupled slice: the filter that makes an index and the slices
/// of all later weights that read it, as they go together. Weights of convolutions and linear layers only:
/// biases, norm scales and running statistics have other units, and Li et al. rank by the kernel weights
/// alone.
class Magnitude final : public Criterion {
 public:
  explicit Magnitude(bool squares) : squares_(squares) {}

 protected:
  Scores score(const PruningGroup& group, const ScoringContext& context) const override {
    Scores scores(static_cast<std::size_t>(group.size), 0.0);
    for (const auto& member : group.members) {
      const auto& value = context.model.graph.value(member.axis.value);
      if (value.kind != ValueKind::parameter || value.shape.size() < 2) continue;
      const auto weights = context.model.weights.find(value.name)->second.as<float>();
      for_each_run(member, value.shape, [&](std::size_t index, std::size_t first, std::size_t count) {
        scores[index] += squares_
                             ? sum_of(weights.subspan(first, count), [](double w) { return w * w; })
                             : sum_of(weights.subspan(first, count), [](double w) { return std::abs(w); });
      });
    }
    if (squares_) {
      for (auto& score : scores) score = std::sqrt(score);
    }
    return scores;
  }

 private:
  bool squares_;
};

}  // namespace

void register_magnitude(Catalog<Criterion>& catalog) {
  catalog.add(
      "magnitude", "norm of the weights of every coupled slice",
      {{"norm",
        OptionType::string,
        "l1: sum of absolute weights; l2: root of the sum of squares",
        "l2",
        {},
        {},
        {"l1", "l2"}}},
      [](const Options& options) { return std::make_unique<Magnitude>(options.string("norm") == "l2"); });
}

}  // namespace compress
