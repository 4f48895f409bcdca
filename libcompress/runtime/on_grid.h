// Tensors rounded to grids, with gradients. Includes LibTorch.
#pragma once

#include <ATen/core/Tensor.h>

#include "libcompress/runtime/grid.h"
#include "libcompress/runtime/network.h"

namespace compress {

/// Symmetric, -127 .. 127, no larger than it must be: one scale an index of axis 0, or one for all.
Grid weight_grid(const at::Tensor& weights, bool one_scale);

/// The nearest levels. Backwards the rounding is not there, and what lies outside the levels has no gradient:
/// a straight-through estimator (Bengio, Leonard, Courville, 2013).
at::Tensor on_grid(const at::Tensor& values, const Grid& grid);

/// A pass in which every node reads what has a grid from it. Running statistics, no dropout. Borrows `grids`.
Pass pass_on(const Grids& grids);

}  // namespace compress
