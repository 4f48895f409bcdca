// What a layer is fed, summed over all positions of all examples. Includes LibTorch; internal to quant.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "libcompress/graph/graph.h"
#include "libcompress/quant/adaround.h"

namespace compress {

/// Of each group of a convolution (of one or two spatial axes) or of a linear layer: `exact` and `rounded`
/// are its input, [examples, ...], in the float and in the quantized network. With `centred`, of both less
/// their mean: what remains when the bias is corrected afterwards. Where positions are few, drawn towards
/// what rounding to the nearest would ask for.
std::vector<LayerMoments> moments_of(const Node& layer, const Shape& weight_shape, const at::Tensor& exact,
                                     const at::Tensor& rounded, bool centred);

}  // namespace compress
