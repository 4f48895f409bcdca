// What goes where in the 8-bit network, decided before any node is lowered.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "libcompress/graph/graph.h"
#include "libcompress/quant/lower.h"

namespace compress::lowering {

/// What a clamp lets through; infinite where it has no limit.
struct Bounds {
  float low, high;
};
/// Of a relu, relu6 or clip; nothing for other operators.
std::optional<Bounds> bounds_of(const Node& node);

struct Plan {
  std::map<NodeId, const Node*> clamps;  ///< of nodes that clamp their result, what they take the clamp from
  std::set<NodeId> absorbed;             ///< these relus and clips
  std::map<ValueId, Range> ranges;       ///< of every value that chooses its own scale
};

Plan plan_for(const Graph& graph, const ValueRanges& ranges);

/// Whether `id` is what one node reads and nobody else.
bool read_once(const Graph& graph, ValueId id);

}  // namespace compress::lowering
