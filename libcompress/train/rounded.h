// Training and evaluation of what 8 bits compute, in float32. Includes LibTorch.
#pragma once

#include "libcompress/runtime/on_grid.h"
#include "libcompress/train/evaluate.h"

namespace compress {

/// `grids` with those of parameters made anew for the weights that `network` has now: training moves them.
/// They keep their number of scales; activations keep their grids.
Grids grids_now(const Network& network, const Grids& grids);

/// evaluate() of the network rounded by grids_now().
Evaluation evaluate_rounded(const Model& model, const Grids& grids, const DataSet& data, Part part,
                            const EvaluateOptions& options = {});

}  // namespace compress
