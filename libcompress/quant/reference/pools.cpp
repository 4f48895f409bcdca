// Pools and means.
#include <limits>

#include "libcompress/quant/reference/arithmetic.h"
#include "libcompress/quant/reference/run.h"

namespace compress::reference {

template <typename T>
void Run::compute(const QMaxPool& pool, const QNode& node, const Prepared&, std::span<T> output) {
  const Image from(value(node.inputs[0]).shape);
  const Image to(value(node.output).shape);
  const auto& source = data<T>(node.inputs[0]);
  auto* result = output.data();
  const auto channels = static_cast<std::size_t>(from.channels);
  for (std::int64_t oy = 0; oy < to.height; ++oy) {
    for (std::int64_t ox = 0; ox < to.width; ++ox, result += channels) {
      std::fill_n(result, channels, std::numeric_limits<T>::min());
      for_each_tap(pool.window, from, oy, ox, [&](std::int64_t, std::int64_t y, std::int64_t x) {
        const auto* cell = source.data() + (y * from.width + x) * from.channels;
        for (std::size_t c = 0; c < channels; ++c) result[c] = std::max(result[c], cell[c]);
      });
      for (std::size_t c = 0; c < channels; ++c)
        result[c] = clamp_to<T>(result[c], pool.clamp_min, pool.clamp_max);
    }
  }
}

template <typename T>
void Run::compute(const QAvgPool& pool, const QNode& node, const Prepared&, std::span<T> output) {
  const Image from(value(node.inputs[0]).shape);
  const Image to(value(node.output).shape);
  const auto& source = data<T>(node.inputs[0]);
  const auto channels = static_cast<std::size_t>(from.channels);
  std::vector<std::int32_t> sums(channels);
  auto* result = output.data();
  for (std::int64_t oy = 0; oy < to.height; ++oy) {
    for (std::int64_t ox = 0; ox < to.width; ++ox) {
      std::fill(sums.begin(), sums.end(), 0);
      std::int32_t cells = 0;
      for_each_tap(pool.window, from, oy, ox, [&](std::int64_t, std::int64_t y, std::int64_t x) {
        const auto* cell = source.data() + (y * from.width + x) * from.channels;
        for (std::size_t c = 0; c < channels; ++c) sums[c] += cell[c];
        ++cells;
      });
      for (const auto sum : sums) {
        const auto mean = (sum > 0 ? sum + cells / 2 : sum - cells / 2) / cells;
        *result++ = clamp_to<T>(mean, pool.clamp_min, pool.clamp_max);
      }
    }
  }
}

void Run::compute(const QMean& mean, const QNode& node, const Prepared&, std::span<std::int8_t> output) {
  const auto& input = value(node.inputs[0]);
  const auto [outer, count, inner] = extents_of(mean, input.shape);
  const auto output_zero = value(node.output).zero_point;
  const auto* source = data(node.inputs[0]).data();
  auto* result = output.data();
  for (std::int64_t block = 0; block < outer; ++block, source += count * inner) {
    for (std::int64_t i = 0; i < inner; ++i) {
      std::int32_t sum = 0;
      for (std::int64_t k = 0; k < count; ++k) sum += source[k * inner + i] - input.zero_point;
      *result++ = clamp_to_int8(requantize(sum, mean.requantization) + output_zero, -128, 127);
    }
  }
}

template void Run::compute(const QMaxPool&, const QNode&, const Prepared&, std::span<std::int8_t>);
template void Run::compute(const QMaxPool&, const QNode&, const Prepared&, std::span<std::int16_t>);
template void Run::compute(const QAvgPool&, const QNode&, const Prepared&, std::span<std::int8_t>);
template void Run::compute(const QAvgPool&, const QNode&, const Prepared&, std::span<std::int16_t>);

}  // namespace compress::reference
