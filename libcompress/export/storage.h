// Which bytes every activation lives in: the caller's input or output buffer, or a place in the arena.
#pragma once

#include <cstdint>
#include <vector>

#include "libcompress/export/exporter.h"
#include "libcompress/quant/quantized_graph.h"

namespace compress {

struct Place {
  enum class Where { nowhere, input, output, arena };  ///< nowhere: constants
  Where where = Where::nowhere;
  std::int64_t offset = 0;  ///< bytes from the start of the buffer

  bool operator==(const Place&) const = default;
};

/// Copies a value to the output buffer after the last node: an output that is the input itself or comes
/// twice.
struct FinalCopy {
  QValueId from{};
  std::int64_t output_offset = 0;
};

/// Reshapes, and transposes that move no byte, share their input's bytes; requantize, add and softmax work in
/// place where their input is needed no more. Outputs lie one after the other in the output buffer.
struct Storage {
  std::vector<Place> places;  ///< one a value
  std::vector<FinalCopy> copies;
  std::vector<PlacedTensor> arena;  ///< values that share bytes are one entry, "a = b"
  std::int64_t arena_bytes = 0;
  bool minimal = false;  ///< see ArenaLayout
  std::int64_t output_bytes = 0;
};

Storage assign_storage(const QuantizedGraph& graph);

/// Whether output and input hold the same bytes in the same order.
bool moves_nothing(const QuantizedGraph& graph, const QNode& node);

/// Whether the node may write over `input`, one of its own, if no other reads it.
bool works_in_place(const QuantizedGraph& graph, const QNode& node, QValueId input);

/// Elements of an activation, which are bytes.
std::int64_t bytes_of(const QuantizedGraph& graph, QValueId id);

}  // namespace compress
