// An own criterion: how large the largest weight of an index is.
//
// In the tree this file would be plugins/criteria/peak.cpp and its name a word in that folder's
// CMakeLists.txt; shared_object/ makes a plugin of the same file outside the tree.

#include <algorithm>
#include <cmath>

#include "libcompress/strategy/criterion.h"

namespace compress {
namespace {

/// By index of `axis`: the largest absolute value in that slice of a tensor.
std::vector<double> slice_peaks(const Shape& shape, std::int32_t axis, std::span<const float> elements) {
  const auto width = static_cast<std::size_t>(shape[static_cast<std::size_t>(axis)]);
  std::size_t stride = 1;  // row-major: elements between neighbors on the axis
  for (auto d = static_cast<std::size_t>(axis) + 1; d < shape.size(); ++d)
    stride *= static_cast<std::size_t>(shape[d]);
  std::vector<double> peaks(width, 0.0);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    double& peak = peaks[i / stride % width];
    peak = std::max(peak, std::abs(static_cast<double>(elements[i])));
  }
  return peaks;
}

/// The largest absolute weight over every slice that goes with an index, of weights of at least `dimensions`
/// axes.
class Peak final : public Criterion {
 public:
  explicit Peak(std::size_t dimensions) : dimensions_(dimensions) {}

 protected:
  Scores score(const PruningGroup& group, const ScoringContext& context) const override {
    Scores scores(static_cast<std::size_t>(group.size), 0.0);
    for (const auto& member : group.members) {
      const Value& value = context.model.graph.value(member.axis.value);
      if (value.kind != ValueKind::parameter || value.shape.size() < dimensions_) continue;
      const auto elements = context.model.weights.at(value.name).as<float>();
      const auto peaks = slice_peaks(value.shape, member.axis.dimension, elements);
      for (std::size_t i = 0; i < scores.size(); ++i) {
        for (const auto index : member.indices[i])
          scores[i] = std::max(scores[i], peaks[static_cast<std::size_t>(index)]);
      }
    }
    return scores;
  }

 private:
  std::size_t dimensions_;
};

}  // namespace

void register_peak(Catalog<Criterion>& catalog) {
  catalog.add("peak", "the largest absolute weight of every coupled slice",
              {{"dimensions", OptionType::integer,
                "axes that a weight has at least to count: 2 leaves out biases and norms", std::int64_t{2},
                1.0, 8.0}},
              [](const Options& options) {
                return std::make_unique<Peak>(static_cast<std::size_t>(options.integer("dimensions")));
              });
}

}  // namespace compress
