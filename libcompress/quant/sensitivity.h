// What each layer alone costs in 8 bits: which one to look at when a network loses accuracy.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "libcompress/base/progress.h"
#include "libcompress/graph/graph.h"
#include "libcompress/quant/quantized_graph.h"

namespace compress {

/// The network in float32 but for one layer, whose weights and result are rounded as the quantized graph
/// rounds them.
struct LayerSensitivity {
  std::string value;            ///< the layer's result, as compare() names it; the input is one too
  double sqnr_db = 0;           ///< of the network's first output; 200 where there is no error
  std::int64_t same_class = 0;  ///< inputs whose output has its largest element at the same place
};

/// One for the input and each layer that rounds (not for pools and movements, which keep their input's
/// scale), in order of execution. `folded` is what `graph` was lowered from. `inputs` [count, input shape
/// without its batch...], float32; Error of kind usage for another size.
std::vector<LayerSensitivity> sensitivity(const Model& folded, const QuantizedGraph& graph,
                                          std::span<const float> inputs, std::int64_t count,
                                          Reporter& reporter = silent_reporter());

/// A table for people, the most costly layer first.
std::string to_text(std::vector<LayerSensitivity> layers, std::int64_t inputs);

}  // namespace compress
