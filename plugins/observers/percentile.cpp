#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "libcompress/quant/observer.h"

namespace compress {
namespace {

/// Leaves out the outermost (100 - percentile) percent of the numbers at each end.
///
/// One histogram over -limit .. limit, limit a power of two that doubles when a number does not fit: pairs of
/// cells then merge, so that the result does not depend on how the numbers were cut into batches.
class Percentile final : public Observer {
 public:
  explicit Percentile(double percentile) : percentile_(percentile) {}

  std::unique_ptr<Observer> fresh() const override { return std::make_unique<Percentile>(percentile_); }

  void observe(std::span<const float> values) override {
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
      ++counts_[static_cast<std::size_t>(cell)];
    }
    seen_ += static_cast<std::int64_t>(values.size());
  }

  /// Falls back to the whole range where nearly all numbers lie in one cell: then there is nothing to cut but
  /// signal.
  Range range() const override {
    const auto cut = static_cast<std::int64_t>(static_cast<double>(seen_) * (100 - percentile_) / 100);
    const auto low = std::max(low_, edge(first_beyond(cut, false)));
    const auto high = std::min(high_, edge(first_beyond(cut, true) + 1));
    const bool collapsed = high - low <= limit_ / kHalf;
    return collapsed ? Range{low_, high_} : Range{low, high};
  }

 private:
  static constexpr std::int64_t kHalf = 4096;  ///< cells on each side of zero

  /// Makes |values| up to `largest` fit.
  void cover(float largest) {
    if (counts_.empty()) {
      counts_.resize(2 * kHalf);
      limit_ = 0x1p-100;
      if (largest > 0) limit_ = std::max(limit_, std::ldexp(1.0, std::ilogb(largest) + 1));
    }
    while (static_cast<double>(largest) >= limit_) {
      merge_pairs();
      limit_ *= 2;
    }
  }

  void merge_pairs() {
    std::vector<std::int64_t> merged(counts_.size());
    for (std::int64_t i = 0; i < 2 * kHalf; ++i)
      merged[static_cast<std::size_t>((i + kHalf) / 2)] += counts_[static_cast<std::size_t>(i)];
    counts_ = std::move(merged);
  }

  /// The first cell from below (or above) where more than `cut` numbers have gone by.
  std::int64_t first_beyond(std::int64_t cut, bool from_above) const {
    std::int64_t passed = 0;
    for (std::int64_t i = 0; i < 2 * kHalf; ++i) {
      const auto cell = from_above ? 2 * kHalf - 1 - i : i;
      passed += counts_[static_cast<std::size_t>(cell)];
      if (passed > cut) return cell;
    }
    assert(false);
    return 0;
  }

  float edge(std::int64_t cell) const {
    return static_cast<float>(static_cast<double>(cell - kHalf) * limit_ / kHalf);
  }

  double percentile_;
  double limit_ = 0;
  float low_ = std::numeric_limits<float>::max();
  float high_ = std::numeric_limits<float>::lowest();
  std::int64_t seen_ = 0;
  std::vector<std::int64_t> counts_;
};

}  // namespace

void register_percentile(Catalog<Observer>& catalog) {
  OptionSpec percentile{"percentile", OptionType::number,
                        "percent of the values that the range holds, counted from each end"};
  percentile.fallback = 99.999;
  percentile.minimum = 90;
  percentile.maximum = 100;
  catalog.add("percentile", "the range without rare extremes", {percentile}, [](const Options& options) {
    return std::make_unique<Percentile>(options.number("percentile"));
  });
}

}  // namespace compress
