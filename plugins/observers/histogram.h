// What observers count: how often each number came, in cells of equal width.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "libcompress/quant/observer.h"

namespace compress {

/// 8192 cells over -limit .. limit, limit a power of two that doubles when a number does not fit: pairs of
/// cells then merge, so that the result does not depend on how the numbers were cut into batches.
class Histogram {
 public:
  static constexpr std::int64_t kHalf = 4096;  ///< cells on each side of zero

  void add(std::span<const float> values);

  Range seen() const { return {low_, high_}; }   ///< the smallest and the largest number
  std::int64_t count() const { return count_; }  ///< of all numbers
  std::int64_t zeros() const { return zeros_; }  ///< of numbers that are exactly 0; they are in a cell too
  double cell_width() const { return limit_ / kHalf; }
  double edge(std::int64_t cell) const { return static_cast<double>(cell - kHalf) * cell_width(); }
  /// By cell, from the lowest; empty before the first number.
  const std::vector<std::int64_t>& cells() const { return cells_; }

 private:
  void cover(float largest);
  void merge_pairs();

  double limit_ = 0;
  float low_ = std::numeric_limits<float>::max();
  float high_ = std::numeric_limits<float>::lowest();
  std::int64_t count_ = 0;
  std::int64_t zeros_ = 0;
  std::vector<std::int64_t> cells_;
};

}  // namespace compress
