// What goes where in the 8-bit network, decided before any node is lowered.
#pragma once

#include <map>
#include <set>

#include "libcompress/graph/graph.h"
#include "libcompress/quant/lower.h"

namespace compress::lowering {

struct Plan {
  std::map<NodeId, const Node*> relus;  ///< of the nodes whose clamp a relu becomes
  std::set<NodeId> absorbed;            ///< these relus
  std::map<ValueId, Range> ranges;      ///< of every value that chooses its own scale
};

Plan plan_for(const Graph& graph, const ValueRanges& ranges);

/// Whether `id` is what one node reads and nobody else.
bool read_once(const Graph& graph, ValueId id);

}  // namespace compress::lowering
