// In which order the axes of an 8-bit value lie, beside those of its float value.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "libcompress/graph/graph.h"
#include "libcompress/quant/quantized_graph.h"

namespace compress::lowering {

/// For each axis of an 8-bit value the axis of its float value, or kAdded.
using AxisOrder = std::vector<int>;
constexpr int kAdded = -1;  ///< an axis of extent 1 that the float value does not have

/// An 8-bit value that holds a float value's numbers.
struct Form {
  QValueId id{};
  AxisOrder axes;
};

AxisOrder natural_order(std::size_t rank);
/// Channels last, sequences as images of height 1; what has the float value's name is in this order.
AxisOrder canonical_order(std::size_t rank);

/// Positions in `from` in the order that `to` asks for, added axes right behind the batch.
std::vector<std::int32_t> moves(const AxisOrder& from, const AxisOrder& to);
/// Whether elements change places: axes of extent 1 move for free.
bool reorders(const Shape& shape, const std::vector<std::int32_t>& order);
/// For each element in the order `axes` its position in row-major order of `shape`.
std::vector<std::size_t> natural_positions(const Shape& shape, const AxisOrder& axes);

/// Entries of an attribute along [height, width]; a sequence has no height, an empty list says `absent`.
std::array<std::int32_t, 2> along_image(std::span<const std::int64_t> entries, std::int32_t absent);
/// The window of a conv or pool; Error of kind input for one over more than two axes.
Window window_of(const Node& node, std::span<const std::int64_t> kernel);

}  // namespace compress::lowering
