// Cross-layer equalization: channels of consecutive layers brought to like ranges, in float32, before they
// share the scale of an 8-bit tensor.
#pragma once

#include <string>
#include <vector>

#include "libcompress/graph/graph.h"

namespace compress {

/// Nagel, van Baalen, Blankevoort, Welling: Data-Free Quantization Through Weight Equalization and Bias
/// Correction, ICCV 2019. Scales each output channel of a layer by 1 / s and the input channel of the next
/// layer that reads it by s, s = sqrt(r1 / r2) from the largest weights of both, until nothing moves any
/// more. The network computes the same, for between the two are only operators that a positive factor passes
/// (relus, pools, flattening). Layers are convolutions and linear layers whose weights and whose results
/// nobody else reads.
///
/// `folded` is what fold() returns.
Model equalize(const Model& folded);

/// The pairs of layers that equalize() looks at, by node name.
struct LayerPair {
  std::string first, second;
};
std::vector<LayerPair> equalizable_pairs(const Graph& folded);

}  // namespace compress
