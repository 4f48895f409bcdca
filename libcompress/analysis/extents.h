// Shapes and attributes apart from the graph they belong to: cheap to change, cheap to price.
#pragma once

#include <map>
#include <vector>

#include "libcompress/graph/graph.h"
#include "libcompress/graph/op.h"

namespace compress {

struct Extents {
  std::vector<Shape> shapes;           ///< by value
  std::map<NodeId, Rewrite> rewrites;  ///< of the nodes that differ from the graph's
};

/// The graph's own.
Extents extents_of(const Graph& graph);

}  // namespace compress
