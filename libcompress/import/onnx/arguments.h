// What the inputs and attributes of movement operators ask for, with the changes between opsets; shared by
// folding and translation. Errors of kind input where they do not fit input 0.
#pragma once

#include <cstdint>
#include <vector>

#include "libcompress/import/onnx/call.h"

namespace compress::onnx {

/// A list that was the attribute `name` before `opset` and is input `i` since; empty if it is left out.
Integers list_argument(const Call& call, const char* name, std::size_t i, std::int64_t opset);

Shape target_shape(const Call& call);      ///< of Reshape
Shape squeezed_shape(const Call& call);    ///< of Squeeze
Shape unsqueezed_shape(const Call& call);  ///< of Unsqueeze
Integers permutation(const Call& call);    ///< of Transpose
Integers paddings(const Call& call);       ///< of Pad: all begins, then all ends; negative ones cut
/// Of Split, for the axis of this extent.
Integers split_extents(const Call& call, std::int64_t extent);
/// Of the reductions: which axes go, sorted; none at all with noop_with_empty_axes.
Integers reduced_axes(const Call& call);
/// Of Gather, input 1: within 0 .. extent - 1.
Integers checked_indices(const Call& call, std::int64_t extent);

/// Indices begin, begin + step, ... of one axis.
struct Range {
  std::int64_t begin = 0;
  std::int64_t step = 1;
  std::int64_t count = 0;
  std::int64_t extent = 0;  ///< of the whole axis
  bool is_whole() const { return begin == 0 && step == 1 && count == extent; }
};
/// Of Slice, one an axis of the input.
std::vector<Range> slice_ranges(const Call& call);

}  // namespace compress::onnx
