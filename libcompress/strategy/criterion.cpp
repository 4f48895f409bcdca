#include "libcompress/strategy/criterion.h"

namespace compress {

std::vector<Scores> Criterion::score_all(std::span<const PruningGroup> groups,
                                         const ScoringContext& context) const {
  std::vector<Scores> all;
  for (const auto& group : groups) all.push_back(score(group, context));
  return all;
}

std::vector<std::int64_t> owners(const GroupMember& member, std::int64_t extent) {
  std::vector<std::int64_t> result(static_cast<std::size_t>(extent), -1);
  for (std::size_t i = 0; i < member.indices.size(); ++i) {
    for (const auto index : member.indices[i])
      result[static_cast<std::size_t>(index)] = static_cast<std::int64_t>(i);
  }
  return result;
}

}  // namespace compress
