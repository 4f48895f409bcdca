// A pruning plan: the kept indices of every group. Plain, printable, saved as JSON; only surgery executes it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libcompress/analysis/groups.h"

namespace compress {

struct GroupPlan {
  std::string group;               ///< PruningGroup::name
  std::int64_t size = 0;           ///< width before
  std::vector<std::int64_t> kept;  ///< ascending, at least one
};

struct PruningPlan {
  std::string graph;              ///< fingerprint() of the graph it was made for
  std::vector<GroupPlan> groups;  ///< prunable groups only, in the order of find_groups()
};

/// Keeps everything.
PruningPlan full_plan(const Graph& graph, std::span<const PruningGroup> groups);

/// Error of kind input unless the plan belongs to this graph and these groups.
void verify_plan(const PruningPlan& plan, const Graph& graph, std::span<const PruningGroup> groups);

std::string to_text(const PruningPlan& plan);  ///< one line a group
std::string plan_to_json(const PruningPlan& plan);
PruningPlan plan_from_json(std::string_view json, std::string_view where);

}  // namespace compress
