#include "libcompress/strategy/strategy.h"

#include <map>

namespace compress {

std::vector<std::int64_t> unpruned_widths(std::span<const PruningGroup> groups,
                                          std::span<const PruningGroup> before) {
  std::map<std::string_view, std::int64_t> sizes;
  for (const auto& group : before) sizes[group.name] = group.size;
  std::vector<std::int64_t> widths;
  for (const auto& group : groups) {
    const auto found = sizes.find(group.name);
    widths.push_back(found == sizes.end() ? group.size : found->second);
  }
  return widths;
}

}  // namespace compress
