#include "libcompress/strategy/budget.h"

#include <cmath>

namespace compress {

const char* name_of(Resource resource) {
  switch (resource) {
    case Resource::params:
      return "params";
    case Resource::flash_bytes:
      return "flash_bytes";
    case Resource::macs:
      return "macs";
    case Resource::peak_ram_bytes:
      return "peak_ram_bytes";
  }
  return "";
}

std::int64_t amount_of(Resource resource, const NetworkCost& cost) {
  switch (resource) {
    case Resource::params:
      return cost.params;
    case Resource::flash_bytes:
      return cost.flash_bytes;
    case Resource::macs:
      return cost.macs;
    case Resource::peak_ram_bytes:
      return cost.peak_ram_bytes;
  }
  return 0;
}

Budget interpolate(const NetworkCost& start, const Budget& budget, double amount) {
  Budget step = budget;
  if (amount >= 1.0) return step;
  step.tolerance = 1.0;
  for (auto& bound : step.bounds) {
    const auto from = static_cast<double>(amount_of(bound.resource, start));
    const auto to = static_cast<double>(bound.amount);
    if (from > to) bound.amount = std::llround(from + (to - from) * amount);
  }
  return step;
}

}  // namespace compress
