#include "libcompress/quant/adaround.h"

#include <ATen/ops/matmul.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace compress {
namespace {

constexpr int kMostSweeps = 1000;     ///< each lowers the loss; some ten are usual
constexpr double kOnLevel = 1e-4;     ///< in steps: the largest weight, which decides the scale, must stay
constexpr double kLeastGain = 1e-12;  ///< of a step's own square: less is the rounding of float64

std::span<const double> row_of(const at::Tensor& matrix, std::int64_t row) {
  const auto width = matrix.size(1);
  return {matrix.const_data_ptr<double>() + row * width, static_cast<std::size_t>(width)};
}

/// The weights of one output channel: the loss is w' R w'^T - 2 w' t^T, R [K, K] and t [K].
class Channel {
 public:
  Channel(const at::Tensor& R, std::span<const double> t, std::span<const double> weights, const Grid& grid,
          double scale)
      : R_(R), scale_(scale) {
    const auto low = static_cast<double>(grid.low), high = static_cast<double>(grid.high);
    for (std::size_t k = 0; k < weights.size(); ++k) {
      const double steps = weights[k] / scale;
      const double nearest = std::clamp(std::round(steps), low, high);
      const bool stays = std::abs(steps - nearest) < kOnLevel;
      down_.push_back(stays ? nearest : std::clamp(std::floor(steps), low, high));
      up_.push_back(stays ? nearest : std::clamp(std::floor(steps) + 1, low, high));
      levels_.push_back(nearest);
      slope_.push_back(-t[k]);
    }
    for (std::size_t k = 0; k < levels_.size(); ++k) add_to_slope(k, levels_[k] * scale_);
  }

  void settle() {
    for (int i = 0; i < kMostSweeps; ++i) {
      if (!sweep()) return;
    }
  }

  double weight(std::size_t k) const { return levels_[k] * scale_; }

 private:
  /// Moves each weight that gains by it; false if none did.
  bool sweep() {
    bool moved = false;
    for (std::size_t k = 0; k < levels_.size(); ++k) {
      const double other = levels_[k] == down_[k] ? up_[k] : down_[k];
      const double step = (other - levels_[k]) * scale_;
      const double square = step * step * row_of(R_, static_cast<std::int64_t>(k))[k];
      if (2 * step * slope_[k] + square >= -kLeastGain * square) continue;
      levels_[k] = other;
      add_to_slope(k, step);
      moved = true;
    }
    return moved;
  }

  void add_to_slope(std::size_t k, double step) {
    const auto row = row_of(R_, static_cast<std::int64_t>(k));
    for (std::size_t i = 0; i < row.size(); ++i) slope_[i] += step * row[i];
  }

  const at::Tensor& R_;
  double scale_;
  std::vector<double> down_, up_, levels_;  ///< of each weight, in steps
  std::vector<double> slope_;               ///< half the loss' derivative
};

}  // namespace

at::Tensor round_adaptively(const at::Tensor& weights, const Grid& grid, const LayerMoments& moments) {
  const c10::NoGradGuard without_gradients;
  const auto exact = weights.to(at::kDouble).contiguous();
  const auto R = moments.rounded.contiguous();
  const auto t = at::matmul(exact, moments.mixed.t()).contiguous();
  auto made = exact.clone();
  for (std::int64_t o = 0; o < exact.size(0); ++o) {
    const double scale = grid.scales[grid.scales.size() == 1 ? 0 : static_cast<std::size_t>(o)];
    Channel channel(R, row_of(t, o), row_of(exact, o), grid, scale);
    channel.settle();
    auto* row = made.mutable_data_ptr<double>() + o * made.size(1);
    for (std::int64_t k = 0; k < made.size(1); ++k) row[k] = channel.weight(static_cast<std::size_t>(k));
  }
  return made.to(at::kFloat);
}

}  // namespace compress
