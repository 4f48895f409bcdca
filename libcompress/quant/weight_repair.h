// Weights and biases repaired for what 8 bits do to them, layer by layer, before the network is lowered.
#pragma once

#include <span>

#include "libcompress/base/progress.h"
#include "libcompress/graph/graph.h"
#include "libcompress/quant/quantized_graph.h"

namespace compress {

struct WeightRepairs {
  bool adaround = false;
  bool bias_correction = false;

  bool any() const { return adaround || bias_correction; }
};

/// Edits `folded` so that lower() with the same ranges makes a better network of it. `graph` is what it makes
/// without repairs. Layers are looked at in order, each fed what the float network feeds it and what the
/// repaired layers before it do, in 8 bits:
///
/// - adaround puts its weights on their 8-bit grid, up or down so that its output changes least (adaround.h);
/// - bias correction adds to its bias the mean, by channel, of what its output lost (Nagel et al., ICCV 2019,
///   section 4.2, measured instead of derived).
///
/// `inputs` holds `count` examples. Every one is kept while activations of its live. Weights that several
/// nodes read, and layers of three or more spatial axes, stay as they are.
Model repair_weights(const Model& folded, const QuantizedGraph& graph, std::span<const float> inputs,
                     std::int64_t count, const WeightRepairs& repairs,
                     Reporter& reporter = silent_reporter());

/// `folded` with a bias, of zeros, for every convolution and linear layer that has none.
Model with_biases(const Model& folded);

}  // namespace compress
