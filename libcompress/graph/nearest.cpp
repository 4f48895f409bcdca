#include "libcompress/graph/nearest.h"

#include <algorithm>
#include <cmath>

namespace compress {
namespace {

std::int64_t nearest_to(double place, std::string_view rounding) {
  if (rounding == "floor") return static_cast<std::int64_t>(std::floor(place));
  if (rounding == "ceil") return static_cast<std::int64_t>(std::ceil(place));
  if (rounding == "round_prefer_floor") return static_cast<std::int64_t>(std::ceil(place - 0.5));
  return static_cast<std::int64_t>(std::floor(place + 0.5));
}

}  // namespace

double place_among(std::int64_t o, std::int64_t in, std::int64_t out, std::string_view coordinates) {
  const auto place = static_cast<double>(o), from = static_cast<double>(in), to = static_cast<double>(out);
  if (coordinates == "asymmetric") return place * from / to;
  if (coordinates == "align_corners") return out > 1 ? place * (from - 1) / (to - 1) : 0.0;
  if (coordinates == "pytorch_half_pixel" && out == 1) return 0.0;
  return (place + 0.5) * from / to - 0.5;
}

std::vector<std::int64_t> nearest_elements(std::int64_t in, std::int64_t out, std::string_view coordinates,
                                           std::string_view rounding) {
  std::vector<std::int64_t> elements;
  for (std::int64_t o = 0; o < out; ++o) {
    const auto nearest = nearest_to(place_among(o, in, out, coordinates), rounding);
    elements.push_back(std::clamp<std::int64_t>(nearest, 0, in - 1));
  }
  return elements;
}

}  // namespace compress
