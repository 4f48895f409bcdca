#include <algorithm>
#include <cmath>
#include <memory>

#include "plugins/observers/histogram.h"

namespace compress {
namespace {

/// The range whose 8 bits lose the least information: the smallest Kullback-Leibler divergence between the
/// distribution that was seen, what lies outside moved to the ends of the range, and the one that its levels
/// can tell apart (Migacz, 8-bit Inference with TensorRT, GTC 2017). Exact zeros lose nothing and do not
/// count.
class Entropy final : public Observer {
 public:
  std::unique_ptr<Observer> fresh() const override { return std::make_unique<Entropy>(); }

  void observe(std::span<const float> values) override { histogram_.add(values); }

  /// Tries thresholds t, with the range what was seen of -t .. t.
  Range range() const override {
    const auto seen = histogram_.seen();
    if (seen.low == seen.high) return seen;
    const float largest = std::max(std::abs(seen.low), std::abs(seen.high));
    Range best = seen;
    double least = std::numeric_limits<double>::infinity();
    for (int i = kSteps; i >= kSteps / kSmallest; --i) {
      const float threshold = largest * static_cast<float>(i) / kSteps;
      const Range tried{std::min(0.0f, std::max(seen.low, -threshold)),
                        std::max(0.0f, std::min(seen.high, threshold))};
      const double lost = divergence(tried);
      if (lost < least) least = lost, best = tried;
    }
    return best;
  }

 private:
  static constexpr int kSteps = 128;
  static constexpr int kSmallest = 16;  ///< the largest number is at most so many thresholds
  static constexpr int kLevels = 256;

  /// Cells of the histogram as indices [first, last).
  struct Cells {
    std::size_t first = 0, last = 0;
  };

  Cells cells_of(Range range) const {
    const double width = histogram_.cell_width();
    const auto first = static_cast<std::int64_t>(std::floor(range.low / width)) + Histogram::kHalf;
    const auto last = static_cast<std::int64_t>(std::floor(range.high / width)) + Histogram::kHalf + 1;
    return {static_cast<std::size_t>(std::max<std::int64_t>(first, 0)),
            static_cast<std::size_t>(std::min<std::int64_t>(last, 2 * Histogram::kHalf))};
  }

  double divergence(Range range) const {
    const auto [first, last] = cells_of(range);
    const auto& counts = histogram_.cells();
    std::vector<double> seen(counts.begin() + static_cast<std::ptrdiff_t>(first),
                             counts.begin() + static_cast<std::ptrdiff_t>(last));
    seen[Histogram::kHalf - first] -= static_cast<double>(histogram_.zeros());
    const auto told = told_apart(seen);  // without what is clipped: a level there stands for more than it saw
    for (std::size_t i = 0; i < first; ++i) seen.front() += static_cast<double>(counts[i]);
    for (std::size_t i = last; i < counts.size(); ++i) seen.back() += static_cast<double>(counts[i]);
    double all_told = 0;
    for (const double x : told) all_told += x;
    const auto all = static_cast<double>(histogram_.count() - histogram_.zeros());
    double lost = 0;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      if (seen[i] == 0) continue;
      const double p = seen[i] / all;
      const double q = std::max(told[i] / all_told, 1e-12);
      lost += p * std::log(p / q);
    }
    return lost;
  }

  /// `seen` after its cells were merged to levels: each cell that is not empty has its level's mean.
  static std::vector<double> told_apart(const std::vector<double>& seen) {
    std::vector<double> told(seen.size());
    for (std::size_t level = 0; level < kLevels; ++level) {
      const auto begin = seen.size() * level / kLevels, end = seen.size() * (level + 1) / kLevels;
      double sum = 0;
      int used = 0;
      for (auto i = begin; i < end; ++i) sum += seen[i], used += seen[i] > 0 ? 1 : 0;
      for (auto i = begin; i < end; ++i) told[i] = seen[i] > 0 ? sum / used : 0;
    }
    return told;
  }

  Histogram histogram_;
};

}  // namespace

void register_entropy(Catalog<Observer>& catalog) {
  catalog.add("entropy", "the range that keeps the most of the distribution (Kullback-Leibler)", {},
              [](const Options&) { return std::make_unique<Entropy>(); });
}

}  // namespace compress
