// Shapes and attributes apart from the graph they belong to: cheap to change, cheap to price.
#pragma once

#include <map>
#include <vector>

#include "libcompress/graph/graph.h"

namespace compress {

struct Extents {
  std::vector<Shape> shapes;                ///< by value
  std::map<NodeId, Attributes> attributes;  ///< of the nodes whose attributes differ from the graph's
};

/// The graph's own.
Extents extents_of(const Graph& graph);

}  // namespace compress
