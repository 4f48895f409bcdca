#include "libcompress/surgery/removal.h"

#include <algorithm>
#include <map>

namespace compress {

KeptIndices kept_by_group(std::span<const PruningGroup> groups, const PruningPlan& plan) {
  std::map<std::string_view, const GroupPlan*> planned;
  for (const auto& each : plan.groups) planned[each.group] = &each;
  KeptIndices kept;
  for (const auto& group : groups) {
    const auto found = planned.find(group.name);
    kept.push_back(found == planned.end() ? all_indices(group.size) : found->second->kept);
  }
  return kept;
}

Removal removal_of(std::span<const PruningGroup> groups, const KeptIndices& kept) {
  Removal removed;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (kept[g].size() == static_cast<std::size_t>(groups[g].size)) continue;
    std::vector<char> stays(static_cast<std::size_t>(groups[g].size), 0);
    for (const auto index : kept[g]) stays[static_cast<std::size_t>(index)] = 1;
    for (const auto& member : groups[g].members) {
      std::vector<std::int64_t> gone;
      for (std::size_t i = 0; i < stays.size(); ++i) {
        if (!stays[i]) gone.insert(gone.end(), member.indices[i].begin(), member.indices[i].end());
      }
      if (gone.empty()) continue;
      auto& all = removed[member.axis];  // an axis may lie in several groups
      all.insert(all.end(), gone.begin(), gone.end());
      if (!std::is_sorted(all.begin(), all.end())) std::sort(all.begin(), all.end());
    }
  }
  return removed;
}

}  // namespace compress
