// The quantized network in float32: the folded network with everything rounded as its quantized graph rounds
// it (runtime/on_grid.h). Close to the integers, not equal to them; it can be asked for layers one by one,
// and has gradients.
#pragma once

#include "libcompress/graph/graph.h"
#include "libcompress/quant/quantized_graph.h"
#include "libcompress/runtime/grid.h"

namespace compress {

/// The grids of the values of `folded` that `graph`, lowered from it, rounds: of weights, of its input and of
/// activations. Where a relu joined a layer, the relu's result has the grid.
Grids grids_of(const Graph& folded, const QuantizedGraph& graph);

}  // namespace compress
