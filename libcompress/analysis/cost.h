// What a network costs: parameters, arithmetic, flash and RAM.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libcompress/analysis/extents.h"
#include "libcompress/graph/graph.h"
#include "libcompress/graph/op.h"

namespace compress {

struct NodeCost {
  NodeId node{};
  std::int64_t params = 0;            ///< trained elements this node is the first to use
  std::int64_t macs = 0;              ///< multiply-accumulates for one example
  std::int64_t other_ops = 0;         ///< everything that is not a multiply-accumulate
  std::int64_t activation_bytes = 0;  ///< output, as int8
  std::int64_t ram_bytes = 0;         ///< int8 activations alive while it runs
};

struct NetworkCost {
  std::int64_t params = 0;  ///< trained elements; running statistics are not counted
  std::int64_t macs = 0;
  std::int64_t other_ops = 0;
  /// Constants of the 8-bit network: int8 weights; per output channel of a conv, conv_transpose or linear an
  /// int32 bias and multiplier and an int8 shift (9 bytes); a batch norm behind them is folded, another one
  /// costs 10 bytes a channel; every other parameter and buffer (an embedding, the scale of a layer norm) is
  /// counted as int8. Code comes on top.
  std::int64_t flash_bytes = 0;
  /// int8 activations alive at once, whole tensors in topological order, the input included; an output takes
  /// its input's place where its operator allows that and nobody else reads the input.
  std::int64_t peak_ram_bytes = 0;
  std::vector<NodeCost> nodes;  ///< in topological order
};

NetworkCost cost_of(const Graph& graph);

/// Prices one graph at many extents: what a search calls. Holds a reference to `graph`.
class CostModel {
 public:
  explicit CostModel(const Graph& graph);
  NetworkCost cost(const Extents& extents) const;

 private:
  struct Constant {
    ValueId id;
    bool stored;  ///< one byte an element of flash
  };
  struct Step {
    const Node* node;
    const Op* op;
    std::vector<Constant> owned;  ///< parameters and buffers that this node is the first to use
    bool folded = false;          ///< a batch norm that vanishes into the conv or linear before it
    std::size_t place = 0;        ///< which buffer its output lies in
  };
  struct Buffer {
    std::vector<ValueId> values;      ///< that lie in it one after the other
    std::size_t first = 0, last = 0;  ///< steps during which it is alive
  };
  std::vector<std::int64_t> alive_bytes(const Extents& extents) const;

  const Graph& graph_;
  std::vector<Step> steps_;
  std::vector<Buffer> buffers_;
};

}  // namespace compress
