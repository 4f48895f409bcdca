#include "libcompress/strategy/criterion.h"

namespace compress {

std::vector<Scores> Criterion::score_all(std::span<const PruningGroup> groups,
                                         const ScoringContext& context) const {
  std::vector<Scores> all;
  for (const auto& group : groups) all.push_back(score(group, context));
  return all;
}

void for_each_element(const GroupMember& member, const Shape& shape,
                      const std::function<void(std::int64_t index, std::int64_t position)>& add) {
  const auto axis = member.axis.dimension;
  const auto extent = shape[static_cast<std::size_t>(axis)];
  const auto outer = element_count({shape.begin(), shape.begin() + axis});
  const auto inner = element_count({shape.begin() + axis + 1, shape.end()});
  for (std::size_t i = 0; i < member.indices.size(); ++i) {
    for (const auto index : member.indices[i]) {
      for (std::int64_t o = 0; o < outer; ++o) {
        const auto start = (o * extent + index) * inner;
        for (std::int64_t k = 0; k < inner; ++k) add(static_cast<std::int64_t>(i), start + k);
      }
    }
  }
}

}  // namespace compress
