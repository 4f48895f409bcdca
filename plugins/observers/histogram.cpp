#include "plugins/observers/histogram.h"

#include <algorithm>
#include <cmath>

namespace compress {

void Histogram::add(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) {
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
    largest = std::max(largest, std::abs(value));
  }
  cover(largest);
  const double cells_per_unit = kHalf / limit_;
  for (const float value : values) {
    const auto cell = static_cast<std::int64_t>(std::floor(value * cells_per_unit)) + kHalf;
    ++cells_[static_cast<std::size_t>(cell)];
    zeros_ += value == 0 ? 1 : 0;
  }
  count_ += static_cast<std::int64_t>(values.size());
}

/// Makes |values| up to `largest` fit.
void Histogram::cover(float largest) {
  if (cells_.empty()) {
    cells_.resize(2 * kHalf);
    limit_ = 0x1p-100;
    if (largest > 0) limit_ = std::max(limit_, std::ldexp(1.0, std::ilogb(largest) + 1));
  }
  while (static_cast<double>(largest) >= limit_) {
    merge_pairs();
    limit_ *= 2;
  }
}

void Histogram::merge_pairs() {
  std::vector<std::int64_t> merged(cells_.size());
  for (std::int64_t i = 0; i < 2 * kHalf; ++i)
    merged[static_cast<std::size_t>((i + kHalf) / 2)] += cells_[static_cast<std::size_t>(i)];
  cells_ = std::move(merged);
}

}  // namespace compress
