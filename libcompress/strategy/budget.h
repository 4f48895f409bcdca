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
  double tolerance = 0.005;  ///< fraction of the bound, 0 to 1
};

/// The bounds a step must hold when `amount` of the way from `start` to the budget is to be gone: linear
/// between both. On the way any network that holds them will do (a tolerance of 1); only the budget itself
/// (amount 1) is to be reached closely.
Budget interpolate(const NetworkCost& start, const Budget& budget, double amount);

/// What is kept of the groups whose names match.
struct WidthRatio {
  std::string pattern;  ///< glob: "layer4.*"
  double kept = 1.0;    ///< above 0 to 1, of the width in the unpruned network
};

struct WidthLimits {
  std::int64_t round_to = 1;      ///< kept widths are multiples of this (or the full width)
  std::int64_t min_channels = 1;  ///< no group gets narrower than this (or its own width)
  /// These groups get that width, whatever the strategy, as near as the other limits let them; the strategy
  /// spends the budget on the rest. Of patterns that match the same group the last one counts.
  std::vector<WidthRatio> ratios{};
  double min_fraction = 0.0;  ///< nor narrower than this part of the unpruned width, 0 to 1: keeps a global
                              ///< ranking from thinning one layer out until nothing passes it
};

}  // namespace compress
