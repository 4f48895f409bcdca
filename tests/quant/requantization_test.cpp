#include <gtest/gtest.h>

#include <cmath>

#include "libcompress/base/error.h"
#include "libcompress/base/random.h"
#include "libcompress/quant/fixed_point.h"
#include "libcompress/quant/quantized_graph.h"

namespace compress {
namespace {

using Wide = __int128;

Wide power_of_two(int exponent) { return static_cast<Wide>(1) << exponent; }

/// floor(numerator / 2^exponent).
Wide floor_divide(Wide numerator, int exponent) { return numerator >> exponent; }

/// The first rounding: value * 2^left * multiplier / 2^31 to nearest, ties upward. The second: / 2^right to
/// nearest, ties away from zero. Both from their definitions, in 128 bits.
std::int32_t double_rounded(std::int32_t value, Requantization by) {
  const int left = std::max(by.shift, 0);
  const int right = std::max(-by.shift, 0);
  const Wide product = static_cast<Wide>(value) * power_of_two(left) * by.multiplier;
  const Wide high = floor_divide(2 * product + power_of_two(31), 32);
  const Wide magnitude = high < 0 ? -high : high;
  const Wide rounded = right == 0 ? magnitude : floor_divide(2 * magnitude + power_of_two(right), right + 1);
  return static_cast<std::int32_t>(high < 0 ? -rounded : rounded);
}

std::int32_t single_rounded(std::int32_t value, Requantization by) {
  const int shift = 31 - by.shift;
  return static_cast<std::int32_t>(
      floor_divide(2 * static_cast<Wide>(value) * by.multiplier + power_of_two(shift), shift + 1));
}

TEST(Requantization, of_wide_sums_counts_the_upper_half_of_the_multiplier) {
  const auto half = to_requantization(0.5);
  EXPECT_EQ(requantize_wide(3, half), 2);    // 1.5 upward
  EXPECT_EQ(requantize_wide(-3, half), -1);  // -1.5 upward
  EXPECT_EQ(requantize_wide(std::int64_t{1} << 40, to_requantization(0x1p-20)), 1 << 20);
  const auto third = to_requantization(1.0 / 3);  // 21845 / 2^16 in the upper half
  EXPECT_EQ(third.shift, -1);
  EXPECT_EQ(requantize_wide(3 << 20, third), (3 * 21845) << 4);
  EXPECT_EQ(requantize_wide(0x7FFF0000, {0x7FFFFFFF, -16}), 32766);  // of 32767 / 2^31
}

TEST(Requantization, equals_hand_computed_values) {
  const auto half = to_requantization(0.5);
  EXPECT_EQ(half.multiplier, 1 << 30);
  EXPECT_EQ(half.shift, 0);
  EXPECT_EQ(requantize(3, half), 2);    // 1.5 upward
  EXPECT_EQ(requantize(-3, half), -1);  // -1.5 upward: the first rounding
  const auto eighth = to_requantization(0.125);
  EXPECT_EQ(eighth.shift, -2);
  EXPECT_EQ(requantize(12, eighth), 2);    // 12 / 2 = 6, 6 / 4 = 1.5 away from zero
  EXPECT_EQ(requantize(-12, eighth), -2);  // -1.5 away from zero: the second rounding
  EXPECT_EQ(requantize_once(-12, eighth), -1);
  EXPECT_EQ(requantize_once(12, eighth), 2);
  const auto three = to_requantization(3);
  EXPECT_EQ(requantize(-7, three), -21);
  EXPECT_EQ(requantize_once(-7, three), -21);
}

TEST(Requantization, rounds_twice_where_once_would_differ) {
  const auto by = to_requantization(0.75 / 8);  // 5 * 0.75 = 3.75 -> 4, 4 / 8 = 0.5 -> 1; but 0.469 -> 0
  EXPECT_EQ(requantize(5, by), 1);
  EXPECT_EQ(requantize_once(5, by), 0);
}

TEST(Requantization, agrees_with_128_bit_arithmetic_on_random_values) {
  Random random(11);
  for (int i = 0; i < 2'000'000; ++i) {
    const auto magnitude = static_cast<int>(random.below(31));
    const auto shift = static_cast<std::int32_t>(random.below(35)) - 31;
    const int left = std::max(shift, 0);
    const auto bound = (std::int64_t{1} << std::min(magnitude, 30 - left)) + 1;
    const auto value = static_cast<std::int32_t>(random.below(2 * bound) - bound);
    const Requantization by{
        static_cast<std::int32_t>((std::int64_t{1} << 30) + random.below(std::int64_t{1} << 30)), shift};
    ASSERT_EQ(requantize(value, by), double_rounded(value, by))
        << value << " " << by.multiplier << " " << shift;
    if (left == 0) {
      ASSERT_EQ(requantize_once(value, by), single_rounded(value, by))
          << value << " " << by.multiplier << " " << shift;
    }
  }
}

TEST(Requantization, keeps_31_bits_of_a_factor) {
  Random random(12);
  for (int i = 0; i < 100'000; ++i) {
    const double factor = std::exp2(random.uniform(-30, 29));
    const auto by = to_requantization(factor);
    ASSERT_GE(by.multiplier, 1 << 30);
    ASSERT_NEAR(std::ldexp(by.multiplier, by.shift - 31) / factor, 1, 0x1p-31);
  }
}

TEST(Requantization, carries_a_multiplier_that_rounds_up_to_a_power_of_two) {
  const auto by = to_requantization(1 - 0x1p-40);
  EXPECT_EQ(by.multiplier, 1 << 30);
  EXPECT_EQ(by.shift, 1);
}

TEST(Requantization, makes_zero_of_what_is_too_small) {
  EXPECT_EQ(to_requantization(0).multiplier, 0);
  EXPECT_EQ(to_requantization(0x1p-40).multiplier, 0);
  EXPECT_EQ(requantize(1 << 30, to_requantization(0x1p-40)), 0);
}

TEST(Requantization, refuses_factors_that_have_no_form) {
  EXPECT_THROW(to_requantization(-1), Error);
  EXPECT_THROW(to_requantization(0x1p31), Error);
  EXPECT_THROW(to_requantization(std::nan("")), Error);
}

TEST(FixedPoint, multiplies_as_truncating_division_with_a_nudge_does) {
  Random random(13);
  for (int i = 0; i < 1'000'000; ++i) {
    const auto a = static_cast<std::int32_t>(random.bits());
    const auto b = static_cast<std::int32_t>(random.bits());
    const auto product = static_cast<std::int64_t>(a) * b;
    const std::int64_t nudge = product >= 0 ? 1 << 30 : 1 - (1 << 30);
    ASSERT_EQ(fixed_point::doubling_high_multiply(a, b), (product + nudge) / (std::int64_t{1} << 31));
  }
  EXPECT_EQ(fixed_point::doubling_high_multiply(INT32_MIN, INT32_MIN), INT32_MAX);
}

TEST(FixedPoint, exp_is_close_to_exp) {
  Random random(14);
  for (int i = 0; i < 100'000; ++i) {
    const auto a = static_cast<std::int32_t>(-random.below(std::int64_t{1} << 31));
    const double exact = std::exp(std::ldexp(a, -26));
    ASSERT_NEAR(std::ldexp(fixed_point::exp_of_negative(a), -31), exact, 1e-6) << a;
  }
  EXPECT_EQ(fixed_point::exp_of_negative(0), INT32_MAX);
}

TEST(FixedPoint, reciprocal_is_close_to_the_reciprocal) {
  Random random(15);
  for (int i = 0; i < 100'000; ++i) {
    const auto a = static_cast<std::int32_t>(random.below(std::int64_t{1} << 31));
    ASSERT_NEAR(std::ldexp(fixed_point::reciprocal_of_one_plus(a), -31), 1 / (1 + std::ldexp(a, -31)), 1e-7)
        << a;
  }
}

}  // namespace
}  // namespace compress
