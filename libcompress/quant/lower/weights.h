// Layers with weights: from floats to the integers of a QConv or QLinear.
#pragma once

#include <string>
#include <vector>

#include "libcompress/quant/lower/lowering.h"

namespace compress::lowering {

/// Weights of one conv or linear, already in the 8-bit layout, output channel first.
struct FloatWeights {
  Shape shape;
  std::vector<float> weights;
  std::vector<float> bias;  ///< one an output channel
};

/// The node's third operand, or zeros.
std::vector<float> bias_of(Lowering& to, const Node& node, std::int64_t outputs);

/// Completes and adds `op`, a QConv or QLinear that reads `x`; `name` and `shape` are those of its result. A
/// scale for each output channel, or one for all where the caller wanted that; the clamp that joined the node
/// joins `op`. Error of kind input for weights too large beside the result.
template <typename Op>
QValueId add_weighted(Lowering& to, const Node& node, Op op, QValueId x, const FloatWeights& from,
                      const std::string& name, Shape shape);

}  // namespace compress::lowering
