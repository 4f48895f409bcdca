#include <cmath>

#include "libcompress/strategy/slice_sums.h"
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

  std::vector<Scores> score_all(std::span<const PruningGroup> groups,
                                const ScoringContext& context) const override {
    SliceSums sums([&](const Value& value) -> Terms {
      if (value.kind != ValueKind::parameter || value.shape.size() < 2) return {};
      return {squares_ ? Terms::Kind::square : Terms::Kind::absolute,
              context.model.weights.at(value.name).as<float>()};
    });
    std::vector<Scores> all;
    for (const auto& group : groups) {
      auto& scores = all.emplace_back(static_cast<std::size_t>(group.size), 0.0);
      for (const auto& member : group.members)
        credit(member, sums.of(context.model.graph.value(member.axis.value), member.axis.dimension), scores);
      if (!squares_) continue;
      for (auto& score : scores) score = std::sqrt(score);
    }
    return all;
  }

 protected:
  Scores score(const PruningGroup& group, const ScoringContext& context) const override {
    return score_all({&group, 1}, context).front();
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
