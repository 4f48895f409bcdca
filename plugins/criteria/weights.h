// The weights that the criteria of magnitude are made of.
#pragma once

#include <span>
#include <vector>

#include "libcompress/strategy/criterion.h"
#include "libcompress/strategy/slice_sums.h"

namespace compress {

/// By group: the terms (`absolute` or `square`) of every weight of a convolution or a linear layer that goes
/// with an index, summed over all coupled slices: the filter that makes the index and what later weights read
/// of it. Biases, norm scales and running statistics have other units and do not count.
std::vector<Scores> sums_of_weights(std::span<const PruningGroup> groups, const Model& model,
                                    Terms::Kind kind);

}  // namespace compress
