// Weights rounded so that their layer's output changes least, not each weight. Includes LibTorch; internal to
// quant.
#pragma once

#include <ATen/core/Tensor.h>

#include "libcompress/runtime/grid.h"

namespace compress {

/// What one group of a layer was fed, as sums over all positions of all examples: float64 [K, K], K the
/// weights of one output channel.
struct LayerMoments {
  at::Tensor rounded;  ///< of x' x'^T, x' what the quantized network feeds it
  at::Tensor mixed;    ///< of x' x^T, x what the float network feeds it
};

/// Nagel, Amjad, van Baalen, Louizos, Blankevoort: Up or Down? Adaptive Rounding for Post-Training
/// Quantization, ICML 2020. Each weight goes up or down to a level of `grid` so that the sum of
/// |w x - w' x'|^2 becomes small (the paper's asymmetric reconstruction, without the activation behind the
/// layer). On the moments that is a quadratic form for each output channel. From the nearest levels, the
/// weight that gains moves until none does: that takes as much off the loss as the paper's relaxation by
/// Adam, in a hundredth of its time (docs/quantization.md).
///
/// `weights` [O, K] of one group; the grid has one scale, or O. Returns w', exactly on the grid.
at::Tensor round_adaptively(const at::Tensor& weights, const Grid& grid, const LayerMoments& moments);

}  // namespace compress
