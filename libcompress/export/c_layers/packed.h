// Weights packed for the DSP extension: two channels share a halfword, see
// templates/kernels/dsp/packed_layer.h.
#pragma once

#include <cstdint>
#include <vector>

#include "libcompress/quant/quantized_graph.h"

namespace compress {

/// How far from 0 the sum of products of each channel of a convolution or fully connected layer can be, its
/// bias included and in any order.
std::vector<std::int64_t> sum_bounds(const QuantizedGraph& graph, const QNode& conv);

/// Whether packed kernels compute a convolution: one group, 8 bits, and every shared sum proven to fit 32
/// bits.
bool packs(const QuantizedGraph& graph, const QNode& conv);

/// Whether the packed kernel computes a fully connected layer: the same, and where the profile rounds once
/// all shifts go to the right.
bool packs_linear(const QuantizedGraph& graph, const QNode& linear);

/// Words of the inputs of a fully connected layer with packed weights.
std::int64_t packed_linear_steps(std::int64_t inputs);

/// Words of one window of packed weights [channels, height, width, inputs].
std::int64_t packed_steps(const Shape& weights);

}  // namespace compress
