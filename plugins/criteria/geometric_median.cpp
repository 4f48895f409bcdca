#include <algorithm>
#include <cmath>

#include "libcompress/base/vector_width.h"
#include "libcompress/strategy/index_flow.h"
#include "plugins/criteria/criteria.h"

namespace compress {
namespace {

COMPRESS_BY_VECTOR_WIDTH
float squared_distance(const float* a, const float* b, std::size_t count) {
  constexpr std::size_t kLanes = 32;  // one sum would wait for each addition before the next
  float lanes[kLanes] = {};
  for (std::size_t i = 0; i < count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float each = a[i + lane] - b[i + lane];
      lanes[lane] += each * each;
    }
  }
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

/// The filters of one weight, a row an index, filled up with zeros to whole vectors.
class Filters {
 public:
  Filters(const Shape& shape, const GroupMember& member, std::span<const float> weights) {
    const auto axis = static_cast<std::size_t>(member.axis.dimension);
    std::size_t outer = 1, inner = 1, longest = 0;
    for (std::size_t d = 0; d < axis; ++d) outer *= static_cast<std::size_t>(shape[d]);
    for (std::size_t d = axis + 1; d < shape.size(); ++d) inner *= static_cast<std::size_t>(shape[d]);
    for (std::size_t i = 0; i < member.indices.size(); ++i)
      longest = std::max(longest, member.indices[i].size());
    width_ = (longest * outer * inner + kVector - 1) / kVector * kVector;
    numbers_.resize(member.indices.size() * width_, 0.0F);
    for (std::size_t i = 0; i < member.indices.size(); ++i) {
      auto* to = numbers_.data() + i * width_;
      for (const auto index : member.indices[i]) {
        const auto at = static_cast<std::size_t>(index);
        for (std::size_t o = 0; o < outer; ++o) {
          const auto from = weights.subspan((o * static_cast<std::size_t>(shape[axis]) + at) * inner, inner);
          to = std::copy(from.begin(), from.end(), to);
        }
      }
    }
  }

  double distance(std::size_t i, std::size_t j) const {
    return std::sqrt(static_cast<double>(
        squared_distance(numbers_.data() + i * width_, numbers_.data() + j * width_, width_)));
  }

  /// Rows that stay in the processor's second cache together.
  std::size_t rows_at_once() const {
    return std::max<std::size_t>(1, kCacheFloats / std::max<std::size_t>(1, width_));
  }

 private:
  static constexpr std::size_t kVector = 32, kCacheFloats = 64 * 1024;
  std::size_t width_ = 0;
  std::vector<float> numbers_;
};

/// Filter pruning by the geometric median (FPGM, He et al., CVPR 2019): the sum of the Euclidean distances of
/// an index' filter from all others of its layer. What is near to all others is what they can replace. Over
/// the layers that make the group the sums are added.
class GeometricMedian final : public Criterion {
 public:
  std::vector<Scores> score_all(std::span<const PruningGroup> groups,
                                const ScoringContext& context) const override {
    const auto& graph = context.model.graph;
    const IndexFlow flow(graph, groups);
    std::vector<Scores> all;
    for (const auto& group : groups) {
      auto& scores = all.emplace_back(static_cast<std::size_t>(group.size), 0.0);
      if (!group.prunable) continue;
      for (const auto& member : group.members) {
        const auto& value = graph.value(member.axis.value);
        if (value.kind != ValueKind::parameter || !flow.is_filter_axis(member.axis)) continue;
        add_distances({value.shape, member, context.model.weights.at(value.name).as<float>()}, member,
                      scores);
      }
    }
    return all;
  }

 protected:
  Scores score(const PruningGroup& group, const ScoringContext& context) const override {
    return score_all({&group, 1}, context).front();
  }

 private:
  static void add_distances(const Filters& filters, const GroupMember& member, Scores& scores) {
    const auto block = filters.rows_at_once();
    for (std::size_t begin = 0; begin < scores.size(); begin += block) {
      const auto end = std::min(scores.size(), begin + block);
      for (std::size_t j = 0; j < end; ++j) {
        if (member.indices[j].empty()) continue;
        for (std::size_t i = std::max(begin, j + 1); i < end; ++i) {
          if (member.indices[i].empty()) continue;
          const auto distance = filters.distance(i, j);
          scores[i] += distance;
          scores[j] += distance;
        }
      }
    }
  }
};

}  // namespace

void register_geometric_median(Catalog<Criterion>& catalog) {
  catalog.add("geometric_median", "distance of a filter from the others of its layer (FPGM, He et al., 2019)",
              {}, [](const Options&) { return std::make_unique<GeometricMedian>(); });
}

}  // namespace compress
