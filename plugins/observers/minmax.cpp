#include <algorithm>
#include <limits>

#include "libcompress/quant/observer.h"

namespace compress {
namespace {

/// The smallest and the largest number seen.
class MinMax final : public Observer {
 public:
  std::unique_ptr<Observer> fresh() const override { return std::make_unique<MinMax>(); }

  void observe(std::span<const float> values) override {
    for (const float value : values) {
      range_.low = std::min(range_.low, value);
      range_.high = std::max(range_.high, value);
    }
  }

  Range range() const override { return range_; }

 private:
  Range range_{std::numeric_limits<float>::max(), std::numeric_limits<float>::lowest()};
};

}  // namespace

void register_minmax(Catalog<Observer>& catalog) {
  catalog.add("minmax", "the whole range that calibration saw", {},
              [](const Options&) { return std::make_unique<MinMax>(); });
}

}  // namespace compress
