#include <cmath>

#include "plugins/criteria/criteria.h"

namespace compress {
namespace {

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
      const auto* w = weights.data();
      const auto sums = squares_ ? slice_sums(value.shape, member.axis.dimension,
                                              [w](std::size_t i) { return static_cast<double>(w[i] * w[i]); })
                                 : slice_sums(value.shape, member.axis.dimension, [w](std::size_t i) {
                                     return static_cast<double>(std::abs(w[i]));
                                   });
      credit(member, sums, scores);
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
