#include "libcompress/quant/fixed_point.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace compress::fixed_point {
namespace {

constexpr std::int32_t kLargest = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kSmallest = std::numeric_limits<std::int32_t>::min();

/// exp(a) for a in -1/4 .. 0 (excluded), 0 integer bits: the Taylor series about -1/8 to the fourth power.
std::int32_t exp_near_zero(std::int32_t a) {
  constexpr std::int32_t kExpOfMinusEighth = 1895147668;
  constexpr std::int32_t kThird = 715827883;
  const std::int32_t x = a + (1 << 28);
  const std::int32_t x2 = doubling_high_multiply(x, x);
  const std::int32_t x3 = doubling_high_multiply(x2, x);
  const std::int32_t x4 = doubling_high_multiply(x2, x2);
  const std::int32_t sixths = doubling_high_multiply(rounding_shift_right(x4, 2) + x3, kThird);
  const std::int32_t above_linear = rounding_shift_right(sixths + x2, 1);
  return kExpOfMinusEighth + doubling_high_multiply(kExpOfMinusEighth, x + above_linear);
}

}  // namespace

std::int32_t doubling_high_multiply(std::int32_t a, std::int32_t b) {
  if (a == kSmallest && b == kSmallest) return kLargest;
  // Truncating division of a nudged product and this floor of (product + half) agree for every pair.
  const std::int64_t product = static_cast<std::int64_t>(a) * b;
  return static_cast<std::int32_t>((product + (std::int64_t{1} << 30)) >> 31);
}

std::int32_t rounding_shift_right(std::int32_t value, int exponent) {
  assert(exponent >= 0 && exponent <= 62);
  const std::int64_t mask = (std::int64_t{1} << exponent) - 1;
  const std::int64_t remainder = value & mask;
  const std::int64_t threshold = (mask >> 1) + (value < 0 ? 1 : 0);
  return static_cast<std::int32_t>((static_cast<std::int64_t>(value) >> exponent) +
                                   (remainder > threshold ? 1 : 0));
}

std::int32_t saturating_shift_left(std::int32_t value, int exponent) {
  const std::int64_t wide = static_cast<std::int64_t>(value) * (std::int64_t{1} << exponent);
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(wide, kSmallest, kLargest));
}

std::int32_t exp_of_negative(std::int32_t a) {
  assert(a <= 0);
  if (a == 0) return kLargest;
  constexpr int kFractionalBits = 26;
  constexpr std::int32_t kQuarter = 1 << (kFractionalBits - 2);
  // a = (a mod 1/4 - 1/4) - remainder: the series covers the first part, one factor for each bit the second.
  const std::int32_t near_zero = (a & (kQuarter - 1)) - kQuarter;
  std::int32_t result = exp_near_zero(saturating_shift_left(near_zero, 5));
  const std::int32_t remainder = near_zero - a;
  constexpr std::int32_t kFactors[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  for (int i = 0; i < 7; ++i) {  // exp(-2^(i - 2))
    if (remainder & (1 << (kFractionalBits - 2 + i))) result = doubling_high_multiply(result, kFactors[i]);
  }
  return result;
}

std::int32_t reciprocal_of_one_plus(std::int32_t a) {
  assert(a >= 0);
  constexpr std::int32_t k48Over17 = 1515870810;  // 2 integer bits, as x is
  constexpr std::int32_t kMinus32Over17 = -1010580540;
  constexpr std::int32_t kOne = 1 << 29;
  const auto half_denominator = static_cast<std::int32_t>((static_cast<std::int64_t>(a) + kLargest + 1) / 2);
  std::int32_t x = k48Over17 + doubling_high_multiply(half_denominator, kMinus32Over17);
  for (int step = 0; step < 3; ++step) {
    const std::int32_t error = kOne - doubling_high_multiply(half_denominator, x);
    x += saturating_shift_left(doubling_high_multiply(x, error), 2);
  }
  return saturating_shift_left(x, 1);
}

}  // namespace compress::fixed_point
