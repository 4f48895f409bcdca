// Which axes of a reshape belong together.
#pragma once

#include <cstddef>
#include <vector>

#include "libcompress/graph/tensor.h"

namespace compress {

/// Axes [in_begin, in_end) of the input become axes [out_begin, out_end) of the output.
struct ReshapeBlock {
  std::size_t in_begin, in_end, out_begin, out_end;
};

/// The axes of two shapes of one size in blocks: the smallest runs of axes with equal products, in order.
/// Trailing axes of extent 1 belong to the last block.
std::vector<ReshapeBlock> reshape_blocks(const Shape& in, const Shape& out);

}  // namespace compress
