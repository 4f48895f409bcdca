// Exact streaming: the front of a network runs row by row, each layer as soon as the rows it reads are there,
// and keeps of every activation only the rows that are still read. Nothing is computed twice, and every byte
// is the one that whole tensors give. What needs a whole tensor, or is smaller that way, runs behind the
// front as before.
//
//   made(v)  a row of v has been written: its readers make what rows they can, in node order, each row in
//   turn
//            handed on before the next one is made ("depth first").
//
// A convolution that alone reads its input makes a block of rows at a time, so that rows of one position fill
// the kernels too. Its input slides: rows lie one behind the other, the first being that where the next block
// begins, and move to the front when a block is made. Rows of padding stand there as rows of the zero point.
//
// Rings are as long as this schedule needs, which the planner finds by running it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "libcompress/export/exporter.h"
#include "libcompress/export/storage.h"
#include "libcompress/quant/quantized_graph.h"

namespace compress {

/// An activation that the front reads or makes row by row. Row r lies at offset + r % rows * row_bytes, or,
/// where rows slide, at offset + (r - the first row of its reader's next block) * row_bytes.
struct StreamedValue {
  std::int64_t count = 0;  ///< rows in all; 0 where the value is not streamed
  std::int64_t row_bytes = 0;
  std::int64_t rows = 0;    ///< kept at once
  std::int64_t offset = 0;  ///< bytes from the start of the state
  bool passing = false;     ///< read as soon as it is made: its bytes serve others between two rows
  std::optional<std::size_t> slides_for{};  ///< the node, of Making::block, that alone reads it
};

/// How a node of the front makes its rows.
enum class Making {
  rename,    ///< the rows of the input under another shape: nothing runs
  rows,      ///< row r from row r of each input
  window,    ///< row r from the rows its window covers
  block,     ///< several rows at once from rows that slide
  cumulate,  ///< a pool whose windows do not overlap takes each row as it comes
};

struct StreamedNode {
  Making making = Making::rows;
  std::int64_t block = 1;  ///< rows of output made at once; what the last block has beyond them is not read
  std::int64_t sums_offset =
      0;  ///< of an average pool that cumulates: int32 sums, one for each output byte of a row
};

struct StreamPlan {
  QuantizedGraph graph;               ///< rows are streamed: swapped where the columns of the original are
  bool swapped = false;               ///< see with_axes_swapped()
  std::vector<StreamedNode> front;    ///< the first nodes of the graph, at least one
  std::vector<StreamedValue> values;  ///< one a value; a renamed one has the place of its input
  std::vector<Place> places;          ///< of the values behind the front, and of those it hands over whole
  std::vector<FinalCopy> copies;      ///< what lies in the state and is an output
  std::vector<PlacedTensor> arena;    ///< first_node .. last_node: 0 .. the front's last while rows stream
  std::int64_t output_bytes = 0;
  std::int64_t state_bytes = 0;    ///< rows, sums and whole tensors, without the counters below
  std::int64_t counter_bytes = 0;  ///< 2 or 4 for each streamed value that is not renamed

  std::int64_t total_bytes() const { return state_bytes + counter_bytes; }
};

/// The plan with the fewest bytes, over both axes and all fronts; none where the first node cannot stream.
std::optional<StreamPlan> plan_stream(const QuantizedGraph& graph);

/// The first `front` nodes streamed along rows (1 or more, at most streamable_nodes()).
StreamPlan plan_rows(const QuantizedGraph& graph, std::size_t front);

/// How many of the first nodes can run row by row.
std::size_t streamable_nodes(const QuantizedGraph& graph);

/// The window along the rows of a node that has one; {1, 1, 0, 0, 1} else.
struct RowWindow {
  std::int64_t kernel = 1, stride = 1, padding = 0, dilation = 1;

  std::int64_t first(std::int64_t row) const { return row * stride - padding; }  ///< below 0 in the padding
  std::int64_t last(std::int64_t row) const { return first(row) + (kernel - 1) * dilation; }
  /// Rows of input under `block` rows of output, without gaps.
  std::int64_t under(std::int64_t block) const { return (block - 1) * stride + (kernel - 1) * dilation + 1; }
};
RowWindow row_window(const QNode& node);

/// Activations among the inputs of a node, each once.
std::vector<QValueId> activations_of(const QuantizedGraph& graph, const QNode& node);

}  // namespace compress
