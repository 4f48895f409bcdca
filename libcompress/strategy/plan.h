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
  std::vector<GroupPlan> groups;  ///< prunable groups, each at most once; one that is left out keeps all
};

/// Keeps everything.
PruningPlan full_plan(const Graph& graph, std::span<const PruningGroup> groups);

/// Error of kind input unless the plan is for this graph, names prunable groups of it, each once, with their
/// size, and keeps ascending indices of them, one at least.
void verify_plan(const PruningPlan& plan, const Graph& graph, std::span<const PruningGroup> groups);

/// How two plans differ in one group, by its indices.
struct GroupDifference {
  std::string group;
  std::int64_t size = 0;
  std::vector<std::int64_t> both, first_only, second_only;  ///< kept; ascending
};

/// Of every group that one of the plans names, in the order of the first. Error of kind input if they are for
/// different graphs, or disagree on a group's size.
std::vector<GroupDifference> compare_plans(const PruningPlan& first, const PruningPlan& second);

std::string to_text(const PruningPlan& plan);       ///< one line a group
std::string plan_to_json(const PruningPlan& plan);  ///< a line a group too, for editing by hand
/// Error of kind input, naming `where`, for text that is no plan. verify_plan() checks the rest.
PruningPlan plan_from_json(std::string_view json, std::string_view where);

}  // namespace compress
