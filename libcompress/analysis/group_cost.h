// What the indices of a pruning group weigh.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "libcompress/analysis/groups.h"
#include "libcompress/graph/graph.h"

namespace compress {

struct GroupCost {
  std::int64_t params = 0;  ///< elements of parameters that belong to some index of the group, each once
  std::int64_t bytes = 0;   ///< the same as float32
  std::int64_t macs = 0;    ///< of the layers whose weight (operand 1) belongs to the group, for one example

  /// What goes with one index, everything else left whole: the mean over the group's indices. Multiply-
  /// accumulates go in proportion to the elements of a layer's weight; those of a product of two activations
  /// are not counted.
  double params_an_index = 0;
  double macs_an_index = 0;
};

/// One for each of `groups`, which are those of `graph`.
std::vector<GroupCost> cost_of_groups(const Graph& graph, std::span<const PruningGroup> groups);

}  // namespace compress
