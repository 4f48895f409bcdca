// What a network costs: parameters, arithmetic, flash and RAM.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libcompress/graph/graph.h"

namespace compress {

struct NodeCost {
  NodeId node{};
  std::int64_t params = 0;            ///< trained elements this node is the first to use
  std::int64_t macs = 0;              ///< multiply-accumulates for one example
  std::int64_t other_ops = 0;         ///< everything that is not a multiply-accumulate
  std::int64_t activation_bytes = 0;  ///< output, as int8
};

struct NetworkCost {
  std::int64_t params = 0;          ///< trained elements; running statistics are not counted
  std::int64_t macs = 0;
  std::int64_t other_ops = 0;
  std::int64_t flash_bytes = 0;     ///< constants of the 8-bit network: int8 weights, int32 bias and per-channel
                                    ///< multiplier and shift, batch norms folded. Code comes on top.
  std::int64_t peak_ram_bytes = 0;  ///< int8 activations alive at once, whole tensors in topological order, the
                                    ///< input included, activations in place of their producers
  std::vector<NodeCost> nodes;      ///< in topological order
};

NetworkCost cost_of(const Graph& graph);

}  // namespace compress
