// What the operators of the reference executor share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "libcompress/quant/fixed_point.h"
#include "libcompress/quant/quantized_graph.h"

namespace compress::reference {

template <typename T>
T clamp_to(std::int32_t value, std::int32_t low, std::int32_t high) {
  return static_cast<T>(std::clamp(value, low, high));
}
inline std::int8_t clamp_to_int8(std::int32_t value, std::int32_t low, std::int32_t high) {
  return clamp_to<std::int8_t>(value, low, high);
}

inline std::int32_t scaled(std::int32_t sum, const Requantization& by) { return requantize(sum, by); }
inline std::int32_t scaled(std::int64_t sum, const Requantization& by) { return requantize_wide(sum, by); }

/// Of products with 8-bit weights.
template <typename T>
using Sum = std::conditional_t<std::is_same_v<T, std::int8_t>, std::int32_t, std::int64_t>;

struct Image {
  std::int64_t height, width, channels;
  explicit Image(const Shape& shape) : height(shape[1]), width(shape[2]), channels(shape[3]) {}
};

/// Calls use(tap, y, x) for each element of the window at output (oy, ox) that lies inside the image.
template <typename Use>
void for_each_tap(const Window& window, const Image& image, std::int64_t oy, std::int64_t ox,
                  const Use& use) {
  for (std::int64_t ky = 0; ky < window.kernel[0]; ++ky) {
    const auto y = oy * window.stride[0] - window.pad_begin[0] + ky * window.dilation[0];
    if (y < 0 || y >= image.height) continue;
    for (std::int64_t kx = 0; kx < window.kernel[1]; ++kx) {
      const auto x = ox * window.stride[1] - window.pad_begin[1] + kx * window.dilation[1];
      if (x >= 0 && x < image.width) use(ky * window.kernel[1] + kx, y, x);
    }
  }
}
}  // namespace compress::reference
