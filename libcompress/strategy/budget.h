// What a compressed network may cost, and the limits a plan must keep.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libcompress/analysis/cost.h"

namespace compress {

enum class Resource { params, flash_bytes, macs, peak_ram_bytes };

const char* name_of(Resource resource);
std::int64_t amount_of(Resource resource, const NetworkCost& cost);

/// At most `amount` of `resource`.
struct Bound {
  Resource resource = Resource::params;
  std::int64_t amount = 0;
};

/// All bounds hold at once. The tightest is reached within `tolerance`, or the plan is an Error of kind
/// budget.
struct Budget {
  std::vector<Bound> bounds;
  double tolerance = 0.01;  ///< fraction of the bound, 0 to 1
};

struct WidthLimits {
  std::int64_t round_to = 1;      ///< kept widths are multiples of this (or the full width)
  std::int64_t min_channels = 1;  ///< no group gets narrower than this (or its own width)
  double min_fraction = 0.0;  ///< nor narrower than this part of its width, 0 to 1: keeps a global ranking
                              ///< from thinning one layer out until nothing passes it
};

}  // namespace compress
