// Pools and means.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "libcompress/quant/verify/verifier.h"

namespace compress {

void QuantizedVerifier::check_pool(const Window& window, std::int32_t low, std::int32_t high) const {
  expect_image(input(0));
  expect_image(output());
  expect(input(0).shape[3] == output().shape[3], "output of shape " + to_string(output().shape),
         "as many channels as the input");
  check_window(window, input(0).shape, output().shape, true);
  check_clamp(low, high);
  expect_same_scale(input(0));
}

void QuantizedVerifier::check(const QAvgPool& pool) const {
  check_pool(pool.window, pool.clamp_min, pool.clamp_max);
  const auto cells = static_cast<std::int64_t>(pool.window.kernel[0]) * pool.window.kernel[1];
  const int bits = output().dtype == DType::int16 ? 15 : 23;
  expect(cells <= 1 << bits, fmt::format("a window of {} cells", cells),
         fmt::format("2^{} at most, so that its sum fits int32", bits));
}

void QuantizedVerifier::check(const QMean& mean) const {
  const auto& from = input(0).shape;
  const auto rank = static_cast<std::int32_t>(from.size());
  expect(mean.first_axis >= 1 && mean.first_axis <= mean.last_axis && mean.last_axis < rank,
         fmt::format("axes {} to {}", mean.first_axis, mean.last_axis), fmt::format("1 to {}", rank - 1));
  Shape kept = from, dropped = from;
  std::fill(kept.begin() + mean.first_axis, kept.begin() + mean.last_axis + 1, 1);
  dropped.erase(dropped.begin() + mean.first_axis, dropped.begin() + mean.last_axis + 1);
  expect(output().shape == kept || output().shape == dropped, "output of shape " + to_string(output().shape),
         fmt::format("{} or {}", to_string(kept), to_string(dropped)));
  const auto count = extents_of(mean, from).count;
  const auto needed = mean_factor(input(0), output(), count);
  expect(
      mean.requantization.multiplier == needed.multiplier && mean.requantization.shift == needed.shift,
      fmt::format("multiplier {} with shift {}", mean.requantization.multiplier, mean.requantization.shift),
      fmt::format("{} and {}", needed.multiplier, needed.shift));
  const auto left = std::clamp(needed.shift, 0, 23);
  expect(needed.shift <= 23 && count <= std::numeric_limits<std::int32_t>::max() >> (8 + left),
         fmt::format("{} elements, shifted left by {}", count, needed.shift), "a sum that fits int32");
}

}  // namespace compress
