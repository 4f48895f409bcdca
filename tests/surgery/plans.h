// Plans for tests.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "libcompress/base/random.h"
#include "libcompress/strategy/plan.h"

namespace compress::testing {

/// Keeps everything but what `kept` says by group name.
inline PruningPlan plan_keeping(
    const Graph& graph, std::span<const PruningGroup> groups,
    std::initializer_list<std::pair<std::string, std::vector<std::int64_t>>> kept) {
  auto plan = full_plan(graph, groups);
  for (const auto& [name, indices] : kept) {
    for (auto& group : plan.groups) {
      if (group.group == name) group.kept = indices;
    }
  }
  return plan;
}

/// Keeps each index with a probability that is drawn for each group, and at least one.
inline PruningPlan random_plan(const Graph& graph, std::span<const PruningGroup> groups, Random& random) {
  auto plan = full_plan(graph, groups);
  for (auto& group : plan.groups) {
    const auto rate = random.uniform();
    const auto spared = random.below(group.size);
    std::vector<std::int64_t> kept;
    for (const auto index : group.kept) {
      if (index == spared || random.uniform() < rate) kept.push_back(index);
    }
    group.kept = std::move(kept);
  }
  return plan;
}

}  // namespace compress::testing
