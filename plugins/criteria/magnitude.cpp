#include <array>
#include <cmath>
#include <map>

#include "plugins/criteria/criteria.h"

namespace compress {
namespace {

/// Calls `use` with a function that gives the size of the weight at a position.
template <typename Use>
auto visit(const float* weights, bool squares, Use use) {
  if (squares) return use([weights](std::size_t i) { return static_cast<double>(weights[i] * weights[i]); });
  return use([weights](std::size_t i) { return static_cast<double>(std::abs(weights[i])); });
}

/// Magnitude (Li et al., ICLR 2017), over every coupled slice: the filter that makes an index and the slices
/// of all later weights that read it, as they go together. Weights of convolutions and linear layers only:
/// biases, norm scales and running statistics have other units, and Li et al. rank by the kernel weights
/// alone.
class Magnitude final : public Criterion {
 public:
  explicit Magnitude(bool squares) : squares_(squares) {}

  std::vector<Scores> score_all(std::span<const PruningGroup> groups,
                                const ScoringContext& context) const override {
    std::vector<Scores> all;
    std::map<ValueId, std::array<std::vector<double>, 2>> known;  // by weight, of its axes 0 and 1
    for (const auto& group : groups) {
      Scores scores(static_cast<std::size_t>(group.size), 0.0);
      for (const auto& member : group.members) {
        const auto& value = context.model.graph.value(member.axis.value);
        if (value.kind != ValueKind::parameter || value.shape.size() < 2) continue;
        const auto* weights = context.model.weights.find(value.name)->second.as<float>().data();
        const auto axis = member.axis.dimension;
        if (axis < 2) {
          auto [found, missing] = known.try_emplace(value.id);
          if (missing)
            found->second =
                visit(weights, squares_, [&](auto size) { return row_and_column_sums(value.shape, size); });
          credit(member, found->second[static_cast<std::size_t>(axis)], scores);
        } else {
          credit(member,
                 visit(weights, squares_, [&](auto size) { return slice_sums(value.shape, axis, size); }),
                 scores);
        }
      }
      if (squares_) {
        for (auto& score : scores) score = std::sqrt(score);
      }
      all.push_back(std::move(scores));
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
