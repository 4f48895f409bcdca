// Activations of 16 bits where 8 are too few.
#pragma once

#include <set>
#include <string>

#include "libcompress/quant/quantized_graph.h"

namespace compress {

/// `graph` with the nodes of these names reading and making int16: the same ranges, by steps 128 to 256 times
/// as fine. Weights stay as they are, biases become int64. A requantize goes from 8 to 16 bits in front of
/// them and back behind them, once a value; ends of the network stay int8. A range that ends at 0, as behind
/// a relu, keeps that end as a clamp.
///
/// A value that is now int16 keeps its name, its copy of the other width gets a suffix. The result is
/// verified. Error of kind input for a name that no node has, or a node without a 16-bit form.
QuantizedGraph widened(const QuantizedGraph& graph, const std::set<std::string, std::less<>>& nodes);

}  // namespace compress
