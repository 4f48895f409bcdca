#include "libcompress/quant/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "libcompress/base/error.h"
#include "libcompress/quant/fixed_point.h"

namespace compress {
namespace {

constexpr int kLowest = -128, kHighest = 127;

std::int8_t level(std::int32_t number) {
  return static_cast<std::int8_t>(std::clamp(number, kLowest, kHighest));
}

template <typename Function>
std::vector<std::int8_t> each_level(const Function& function) {
  std::vector<std::int8_t> table;
  for (int x = kLowest; x <= kHighest; ++x) table.push_back(level(function(x)));
  return table;
}

/// In float32 throughout, as TensorFlow Lite fills its tables.
template <typename Function>
std::vector<std::int8_t> rounded(const QValue& input, const QValue& output, const Function& function) {
  const float inverse = 1 / output.scale;
  return each_level([&](int x) {
    const float real = input.scale * static_cast<float>(x - input.zero_point);
    const float steps = std::round(function(real) * inverse) + static_cast<float>(output.zero_point);
    return static_cast<std::int32_t>(std::clamp(steps, -128.0f, 127.0f));
  });
}

float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }
float elu(float x) { return x < 0 ? std::expm1(x) : x; }
float gelu(float x) { return 0.5f * x * std::erfc(x * static_cast<float>(-M_SQRT1_2)); }
float gelu_tanh(float x) {
  const auto factor = static_cast<float>(M_2_SQRTPI * M_SQRT1_2);
  return 0.5f * x * (1.0f + std::tanh(factor * (x + 0.044715f * x * x * x)));
}

// ---- hard_swish: 16 bits whose products keep the high half

std::int16_t saturated(std::int64_t number) {
  return static_cast<std::int16_t>(std::clamp<std::int64_t>(number, INT16_MIN, INT16_MAX));
}

/// Twice the product's high half, to nearest.
std::int16_t high_product(std::int16_t a, std::int16_t b) {
  const std::int32_t product = static_cast<std::int32_t>(a) * b;
  return saturated((product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15));
}

struct ShortFactor {
  std::int16_t multiplier;
  std::int32_t shift;
};
ShortFactor short_factor(float real) {
  const auto [multiplier, shift] = to_requantization(static_cast<double>(real));
  constexpr std::int32_t kHalf = 1 << 15;
  if (multiplier >= INT32_MAX - kHalf) return {INT16_MAX, shift};
  return {static_cast<std::int16_t>((multiplier + kHalf) >> 16), shift};
}

/// relu6(x + 3) / 6 as a number in 0 .. 1, from x with seven bits below.
std::int16_t hard_gate(std::int16_t x, const ShortFactor& by) {
  if (by.shift > 0) x = saturated(static_cast<std::int64_t>(x) << (by.shift - 1));
  x = high_product(x, by.multiplier);
  if (by.shift > 0) x = saturated(static_cast<std::int64_t>(x) * 2);
  if (by.shift < 0) x = saturated(fixed_point::rounding_shift_right(x, -by.shift));
  return static_cast<std::int16_t>((x + (1 << 15)) >> 1);
}

std::vector<std::int8_t> hard_swish(const QValue& input, const QValue& output) {
  const float fine = (1.0f / 128.0f) * input.scale;
  const auto to_output = short_factor(fine / output.scale);
  const auto to_gate = short_factor(fine / (3.0f / 32768.0f));
  if (to_output.shift > 0)
    throw Error(ErrorKind::input,
                {fmt::format("int8 value '{}'", output.name),
                 fmt::format("a scale of {} behind a hard_swish of {}", output.scale, input.scale),
                 "an input's step of 128 output steps at most", "calibrate with larger inputs"});
  return each_level([&](int x) {
    const auto shifted = static_cast<std::int16_t>((x - input.zero_point) * (1 << 7));
    const std::int32_t product =
        static_cast<std::int32_t>(hard_gate(shifted, to_gate)) * high_product(shifted, to_output.multiplier);
    const auto high = saturated(product / (1 << 15));
    return fixed_point::rounding_shift_right(high, -to_output.shift) + output.zero_point;
  });
}

std::vector<std::int8_t> leaky_relu(const QValue& input, const QValue& output, float slope) {
  const auto positive = to_requantization(static_cast<double>(input.scale / output.scale));
  const auto negative = to_requantization(static_cast<double>(input.scale * slope / output.scale));
  return each_level([&](int x) {
    const auto steps = x - input.zero_point;
    return requantize(steps, steps >= 0 ? positive : negative) + output.zero_point;
  });
}

std::vector<std::int8_t> silu(const QValue& input, const QValue& output, const std::string& profile) {
  const auto gate = table_middle("silu");
  const auto gates = rounded(input, gate, sigmoid);
  const auto by = mul_for(input, gate, output, profile).requantization;
  return each_level([&](int x) {
    const auto factor = gates[static_cast<std::size_t>(x - kLowest)] - gate.zero_point;
    return requantize((x - input.zero_point) * factor, by) + output.zero_point;
  });
}

std::vector<std::int8_t> hard_sigmoid(const QValue& input, const QValue& output, const std::string& profile) {
  const auto middle = table_middle("hard_sigmoid");
  const auto add = add_for(input, hard_sigmoid_offset(), middle);
  const auto by = mul_for(middle, hard_sigmoid_factor(), output, profile).requantization;
  const std::int32_t headroom = 1 << add.left_shift;
  return each_level([&](int x) {
    const auto sum =
        requantize((x - input.zero_point) * headroom, add.left) + requantize(kHighest * headroom, add.right);
    const auto gate = level(std::max(requantize(sum, add.output) + middle.zero_point, middle.zero_point));
    return requantize((gate - middle.zero_point) * kHighest, by) + output.zero_point;
  });
}

QValue with_scale(float scale, std::int32_t zero_point) {
  QValue value;
  value.scale = scale;
  value.zero_point = zero_point;
  return value;
}

}  // namespace

const std::vector<std::string_view>& table_functions() {
  static const std::vector<std::string_view> all = {
      "sigmoid", "tanh", "hard_swish", "hard_sigmoid", "silu", "elu", "leaky_relu", "gelu", "gelu_tanh"};
  return all;
}

std::optional<OutputScale> table_output_scale(std::string_view function) {
  if (function == "sigmoid" || function == "hard_sigmoid") return OutputScale{1.0f / 256, -128};
  if (function == "tanh") return OutputScale{1.0f / 128, 0};
  return std::nullopt;
}

QValue table_middle(std::string_view function) {
  return function == "silu" ? with_scale(1.0f / 256, -128) : with_scale(6.0f / 256, -128);
}
QValue hard_sigmoid_offset() { return with_scale(3.0f / 127, 0); }
QValue hard_sigmoid_factor() { return with_scale(1.0f / (6 * 127), 0); }

std::vector<std::int8_t> table_for(const std::string& function, float parameter, const QValue& input,
                                   const QValue& output, const std::string& profile) {
  if (function == "sigmoid") return rounded(input, output, sigmoid);
  if (function == "tanh") return rounded(input, output, [](float x) { return std::tanh(x); });
  if (function == "elu") return rounded(input, output, elu);
  if (function == "gelu") return rounded(input, output, gelu);
  if (function == "gelu_tanh") return rounded(input, output, gelu_tanh);
  if (function == "hard_swish") return hard_swish(input, output);
  if (function == "leaky_relu") return leaky_relu(input, output, parameter);
  if (function == "silu") return silu(input, output, profile);
  if (function == "hard_sigmoid") return hard_sigmoid(input, output, profile);
  throw Error(ErrorKind::input, {fmt::format("int8 value '{}'", output.name), "function '" + function + "'",
                                 fmt::format("{}", fmt::join(table_functions(), ", ")), ""});
}

}  // namespace compress
