// Numbers rounded to the levels that 8 bits have, in float32: how a float network stands in for its own
// quantization, with gradients. Includes LibTorch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <vector>

#include "libcompress/graph/graph.h"
#include "libcompress/runtime/network.h"

namespace compress {

/// The levels scale * (q - zero_point), q from `low` to `high`.
struct Grid {
  std::vector<float> scales;  ///< one, or one for each index of axis 0
  std::int64_t zero_point = 0;
  std::int64_t low = -128, high = 127;
};

/// By parameter, input or activation.
using Grids = std::map<ValueId, Grid>;

/// Symmetric, -127 .. 127, no larger than it must be: one scale an index of axis 0, or one for all.
Grid weight_grid(const at::Tensor& weights, bool one_scale);

/// The nearest levels. Backwards the rounding is not there, and what lies outside the levels has no gradient:
/// a straight-through estimator (Bengio, Leonard, Courville, 2013).
at::Tensor on_grid(const at::Tensor& values, const Grid& grid);

/// A pass in which every node reads what has a grid from it. Borrows `grids`.
Pass pass_on(const Grids& grids, Mode mode = Mode::evaluate, std::uint64_t seed = 0);

}  // namespace compress
