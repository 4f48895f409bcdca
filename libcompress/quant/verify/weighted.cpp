// Convolutions and fully connected layers: no sum may leave its integer.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "libcompress/quant/verify/verifier.h"

namespace compress {

template <typename Bias>
std::vector<std::int64_t> QuantizedVerifier::largest_sums() const {
  const auto& x = input(0);
  const auto weights = input(1).constant.as<std::int8_t>();
  const auto bias = input(2).constant.as<Bias>();
  const auto an_output = weights.size() / bias.size();
  const auto [lowest, highest] = levels_of(x.dtype);
  const std::int64_t largest_input = std::max(highest - x.zero_point, x.zero_point - lowest);
  std::vector<std::int64_t> sums;
  for (std::size_t o = 0; o < bias.size(); ++o) {
    std::int64_t bound = std::abs(static_cast<std::int64_t>(bias[o]));
    for (std::size_t i = 0; i < an_output; ++i)
      bound += largest_input * std::abs(static_cast<int>(weights[o * an_output + i]));
    sums.push_back(bound);
  }
  return sums;
}

void QuantizedVerifier::check_accumulators(const std::vector<Requantization>& requantization) const {
  const auto sums = largest_sums<std::int32_t>();
  for (std::size_t o = 0; o < sums.size(); ++o) {
    const int left_shift = std::max(requantization[o].shift, 0);
    if (sums[o] > (std::numeric_limits<std::int32_t>::max() >> left_shift)) {
      fail(fmt::format("an accumulator of output {} that can reach {} (shifted left by {})", o, sums[o],
                       left_shift),
           "below 2^31",
           "split the layer, or calibrate with inputs that drive it: its output scale is very small");
    }
  }
}

void QuantizedVerifier::check_wide_accumulators(const std::vector<Requantization>& requantization) const {
  constexpr std::int64_t kMostBias = std::int64_t{1} << 46;
  const auto bias = input(2).constant.as<std::int64_t>();
  for (std::size_t o = 0; o < bias.size(); ++o)
    expect(bias[o] > -kMostBias && bias[o] < kMostBias, fmt::format("bias {} of output {}", bias[o], o),
           "below 2^46");
  const bool once = std::holds_alternative<QLinear>(node_->op) && linear_rounds_once(graph_);
  const auto most = once ? kMostRoundedOnce : (std::int64_t{1} << 47) - 1;
  const auto sums = largest_sums<std::int64_t>();
  for (std::size_t o = 0; o < sums.size(); ++o) {
    const auto& by = requantization[o];
    const auto result = std::ldexp(static_cast<double>(sums[o]) * by.multiplier, by.shift - 31);
    if (sums[o] > most || result >= 0x1p30)
      fail(fmt::format("an accumulator of output {} that can reach {}, {} after its factor", o, sums[o],
                       result),
           fmt::format("{} at most, and below 2^30", most), "keep this layer in 8 bits");
  }
}

void QuantizedVerifier::check_weighted(const std::vector<Requantization>& requantization) const {
  const auto& weight = input(1);
  const auto& bias = input(2);
  for (const auto* constant : {&weight, &bias})
    expect(constant->zero_point == 0, fmt::format("zero point {}", constant->zero_point),
           "0 for weights and biases");
  expect(weight.dtype == DType::int8, "weights of dtype " + std::string(name_of(weight.dtype)), "int8");
  const bool wide = output().dtype == DType::int16;
  const auto bias_dtype = wide ? DType::int64 : DType::int32;
  expect(bias.dtype == bias_dtype && bias.shape == Shape{weight.shape[0]},
         fmt::format("bias {} {}", name_of(bias.dtype), to_string(bias.shape)),
         fmt::format("{} [{}]", name_of(bias_dtype), weight.shape[0]));
  expect(static_cast<std::int64_t>(requantization.size()) == weight.shape[0],
         fmt::format("{} requantizations", requantization.size()), fmt::format("{}", weight.shape[0]));
  for (std::size_t o = 0; o < requantization.size(); ++o) {
    check_factor(requantization[o], weight_factor(input(0), weight, o, output()), "its");
    const int most = wide ? 14 : 30;
    expect(requantization[o].shift <= most, fmt::format("shift {}", requantization[o].shift),
           fmt::format("at most {}", most));
  }
  if (wide)
    check_wide_accumulators(requantization);
  else
    check_accumulators(requantization);
}

void QuantizedVerifier::check(const QConv& conv) const {
  const auto& weight = input(1);
  expect_image(input(0));
  expect_image(output());
  expect_image(weight);
  const auto& from = input(0).shape;
  const auto& to = output().shape;
  expect(conv.groups >= 1 && from[3] % conv.groups == 0 && to[3] % conv.groups == 0,
         fmt::format("{} groups for {} input and {} output channels", conv.groups, from[3], to[3]),
         "a divisor of both");
  const Shape expected{to[3], conv.window.kernel[0], conv.window.kernel[1], from[3] / conv.groups};
  expect(weight.shape == expected, "weights " + to_string(weight.shape), to_string(expected));
  check_window(conv.window, from, to, false);
  check_clamp(conv.clamp_min, conv.clamp_max);
  check_weighted(conv.requantization);
}

void QuantizedVerifier::check(const QLinear& linear) const {
  const auto& weight = input(1);
  expect(weight.shape.size() == 2 && weight.shape[1] == input(0).shape.back(),
         "weights " + to_string(weight.shape), fmt::format("[out, {}]", input(0).shape.back()));
  auto shape = input(0).shape;
  expect(shape.size() >= 2, "input of shape " + to_string(shape), "2 axes or more");
  shape.back() = weight.shape[0];
  expect_shape(shape);
  check_clamp(linear.clamp_min, linear.clamp_max);
  check_weighted(linear.requantization);
}

}  // namespace compress
