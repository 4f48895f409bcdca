// Batch norms folded into the layers before them, pads into the convolutions behind them, and dropout taken
// out: the network as it runs on a device.
#pragma once

#include "libcompress/graph/graph.h"

namespace compress {

/// The same function with running statistics (up to float32 rounding of the new weights). A batch norm
/// disappears if it alone reads a convolution, transposed or not, or a linear of rank 2, whose result is not
/// an output: the layer gets weights w * gamma / sqrt(variance + epsilon) and a bias, and keeps its name. Any
/// other batch norm stays: lower() makes a depthwise 1x1 convolution of it. A pad of pixels by zeros
/// disappears if convolutions alone read it: they pad as much more. Other nodes and values keep their
/// names; what the outputs do not depend on is left out. Error of kind input if a folded weight is not
/// finite.
Model fold(const Model& model);

}  // namespace compress
