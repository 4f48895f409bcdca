// Fixed-point arithmetic on int32 as gemmlowp defines it, which is what TensorFlow Lite's integer kernels
// compute with. A number with i integer bits is raw / 2^(31 - i). The exporter's C code repeats these
// functions line by line.
#pragma once

#include <cstdint>

namespace compress::fixed_point {

/// The high half of 2 * a * b, rounded to nearest, ties upward; saturates for a = b = -2^31.
std::int32_t doubling_high_multiply(std::int32_t a, std::int32_t b);

/// value / 2^exponent rounded to nearest, ties away from zero; exponent in 0 .. 62.
std::int32_t rounding_shift_right(std::int32_t value, int exponent);

/// value * 2^exponent, saturated; exponent in 0 .. 31.
std::int32_t saturating_shift_left(std::int32_t value, int exponent);

/// exp(a) for a <= 0 with 5 integer bits; the result has 0 integer bits (2^31 - 1 for a = 0).
std::int32_t exp_of_negative(std::int32_t a);

/// 1 / (1 + a) for a in 0 .. 1 with 0 integer bits, by three Newton-Raphson steps; the result has 0 integer
/// bits.
std::int32_t reciprocal_of_one_plus(std::int32_t a);

}  // namespace compress::fixed_point
