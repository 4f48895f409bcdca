#include <algorithm>
#include <cmath>
#include <memory>

#include "plugins/observers/histogram.h"

namespace compress {
namespace {

/// Sums over all cells below one: of counts, numbers and their squares.
struct Moments {
  double count = 0, sum = 0, squares = 0;

  Moments operator-(const Moments& other) const {
    return {count - other.count, sum - other.sum, squares - other.squares};
  }
  /// Sum of (x - bound)^2.
  double distance_to(double bound) const { return squares - 2 * bound * sum + bound * bound * count; }
};

/// The range with the smallest mean square of the error that its 8 bits make: of clipping outside it, and of
/// rounding inside it, where the error is uniform over a step and so has a mean square of step^2 / 12. Exact
/// zeros have none.
class MeanSquare final : public Observer {
 public:
  std::unique_ptr<Observer> fresh() const override { return std::make_unique<MeanSquare>(); }

  void observe(std::span<const float> values) override { histogram_.add(values); }

  /// Tries fractions of the seen range at both ends.
  Range range() const override {
    const auto seen = histogram_.seen();
    const double low = std::min(seen.low, 0.0f), high = std::max(seen.high, 0.0f);
    if (seen.low == seen.high) return seen;
    const auto below = moments_below();
    Range best = seen;
    double least = std::numeric_limits<double>::infinity();
    for (int i = kSteps; i >= kSteps / kSmallest; --i) {
      for (int k = kSteps; k >= kSteps / kSmallest; --k) {
        const Range tried{static_cast<float>(low * k / kSteps), static_cast<float>(high * i / kSteps)};
        const double error = error_of(tried, below);
        if (error < least) least = error, best = tried;
        if (low == 0) break;
      }
      if (high == 0) break;
    }
    return best;
  }

 private:
  static constexpr int kSteps = 128;    ///< in which both ends move
  static constexpr int kSmallest = 16;  ///< no end moves nearer to zero than one in so many of it

  std::vector<Moments> moments_below() const {
    const auto& cells = histogram_.cells();
    std::vector<Moments> below(cells.size() + 1);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const double middle = histogram_.edge(static_cast<std::int64_t>(i)) + histogram_.cell_width() / 2;
      const auto count = static_cast<double>(cells[i]);
      const auto& last = below[i];
      below[i + 1] = {last.count + count, last.sum + count * middle, last.squares + count * middle * middle};
    }
    return below;
  }

  /// The number of cells that end at or below `bound`.
  std::size_t cells_below(double bound) const {
    const auto cells = std::llround(bound / histogram_.cell_width()) + Histogram::kHalf;
    return static_cast<std::size_t>(std::clamp<long long>(cells, 0, 2 * Histogram::kHalf));
  }

  double error_of(Range range, const std::vector<Moments>& below) const {
    const auto& low_tail = below[cells_below(range.low)];
    const auto& up_to_high = below[cells_below(range.high)];
    const double step = (static_cast<double>(range.high) - range.low) / 255;
    const double rounded = (up_to_high - low_tail).count - static_cast<double>(histogram_.zeros());
    return low_tail.distance_to(range.low) + (below.back() - up_to_high).distance_to(range.high) +
           rounded * step * step / 12;
  }

  Histogram histogram_;
};

}  // namespace

void register_mse(Catalog<Observer>& catalog) {
  catalog.add("mse", "the range whose 8 bits make the smallest mean square error", {},
              [](const Options&) { return std::make_unique<MeanSquare>(); });
}

}  // namespace compress
