// A network on its side: height and width change places, so that what streams along the width of an image can
// be treated as rows.
#pragma once

#include "libcompress/quant/quantized_graph.h"

namespace compress {

/// The same network with axes 1 and 2 of every image (activations of four axes) exchanged, weights and
/// windows with them. Values keep their ids and names, nodes their names and order; where a reshape or an
/// output needs the old order of a whole image, a transpose stands before it. Outputs hold the same bytes as
/// before, and so does the input, where can_swap_axes(graph).
QuantizedGraph with_axes_swapped(const QuantizedGraph& graph);

/// Whether the input is an image of one row or one column, whose bytes stay where they are.
bool can_swap_axes(const QuantizedGraph& graph);

}  // namespace compress
