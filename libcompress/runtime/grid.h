// The levels that 8 bits have: what a float network is rounded to where it stands in for its own
// quantization.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "libcompress/graph/graph.h"

namespace compress {

/// The levels scale * (q - zero_point), q from `low` to `high`.
struct Grid {
  std::vector<float> scales;  ///< one, or one for each index of axis 0
  std::int64_t zero_point = 0;
  std::int64_t low = -128, high = 127;
};

/// By parameter, input or activation.
using Grids = std::map<ValueId, Grid>;

}  // namespace compress
