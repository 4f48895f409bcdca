// Unstructured sparsity: which single weights stay.
#pragma once

#include "libcompress/graph/graph.h"
#include "libcompress/graph/tensor.h"

namespace compress {

/// Masks of 0 and 1 (float32, the weight's shape) for the weights of every conv and linear, by name: the
/// `sparsity` (fraction, 0 to 1) of all of them together that is smallest by magnitude gets 0 (Han et al.,
/// NeurIPS 2015). Of equal magnitudes the later ones go first; the count is exact. Error of kind usage for a
/// fraction out of range.
StateDict magnitude_masks(const Model& model, double sparsity);

/// weight *= mask, in place, for every mask.
void apply_masks(StateDict& weights, const StateDict& masks);

}  // namespace compress
