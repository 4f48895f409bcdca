#include <algorithm>
#include <cassert>
#include <memory>

#include "plugins/observers/histogram.h"

namespace compress {
namespace {

/// Leaves out the outermost (100 - percentile) percent of the numbers at each end.
class Percentile final : public Observer {
 public:
  explicit Percentile(double percentile) : percentile_(percentile) {}

  std::unique_ptr<Observer> fresh() const override { return std::make_unique<Percentile>(percentile_); }

  void observe(std::span<const float> values) override { histogram_.add(values); }

  /// Falls back to the whole range where nearly all numbers lie in one cell: then there is nothing to cut but
  /// signal.
  Range range() const override {
    const auto cut =
        static_cast<std::int64_t>(static_cast<double>(histogram_.count()) * (100 - percentile_) / 100);
    const auto seen = histogram_.seen();
    const auto low = std::max(seen.low, static_cast<float>(histogram_.edge(first_beyond(cut, false))));
    const auto high = std::min(seen.high, static_cast<float>(histogram_.edge(first_beyond(cut, true) + 1)));
    const bool collapsed = high - low <= histogram_.cell_width();
    return collapsed ? seen : Range{low, high};
  }

 private:
  /// The first cell from below (or above) where more than `cut` numbers have gone by.
  std::int64_t first_beyond(std::int64_t cut, bool from_above) const {
    const auto& cells = histogram_.cells();
    const auto last = static_cast<std::int64_t>(cells.size()) - 1;
    std::int64_t passed = 0;
    for (std::int64_t i = 0; i <= last; ++i) {
      const auto cell = from_above ? last - i : i;
      passed += cells[static_cast<std::size_t>(cell)];
      if (passed > cut) return cell;
    }
    assert(false);
    return 0;
  }

  double percentile_;
  Histogram histogram_;
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
