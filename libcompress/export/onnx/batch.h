// Which axis of each value grows with the batch.
#pragma once

#include <string>
#include <vector>

#include "libcompress/graph/graph.h"

namespace compress::onnx_export {

struct BatchAxes {
  std::vector<int> axis;      ///< by value; -1: it is the same for every batch
  std::string fixed;          ///< why only the declared batch will do; then no axis grows
  std::int64_t declared = 1;  ///< the batch that the inputs declare
};

/// Found by inferring every shape for the declared batch and for twice as much.
BatchAxes find_batch_axes(const Graph& graph);

}  // namespace compress::onnx_export
