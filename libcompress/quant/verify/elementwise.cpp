// What works on every element alone, and softmax.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "libcompress/quant/tables.h"
#include "libcompress/quant/verify/verifier.h"

namespace compress {

void QuantizedVerifier::check_operands() const {
  const auto shape = broadcast_of(input(0).shape, input(1).shape);
  expect(!shape.empty(),
         fmt::format("shapes {} and {}", to_string(input(0).shape), to_string(input(1).shape)),
         "equal extents, or 1");
  expect_shape(shape);
  expect(input(0).constant.empty() || input(1).constant.empty(), "two constants", "an activation");
  for (const auto* operand : {&input(0), &input(1)}) {
    expect(operand->dtype == output().dtype && operand->channel_scales.empty(),
           fmt::format("'{}' {} with {} channel scales", operand->name, name_of(operand->dtype),
                       operand->channel_scales.size()),
           "one scale and the dtype of the output");
    expect(operand->dtype == DType::int8 || (operand->constant.empty() && operand->shape == shape),
           "16 bits that repeat or are a constant", "operands of 8 bits there");
  }
}

void QuantizedVerifier::check(const QMul& mul) const {
  check_operands();
  check_clamp(mul.clamp_min, mul.clamp_max);
  const double factor = static_cast<double>(input(0).scale) * static_cast<double>(input(1).scale) /
                        static_cast<double>(output().scale);
  check_factor(mul.requantization, factor, "its");
  expect(mul.requantization.shift <= 15, fmt::format("shift {}", mul.requantization.shift),
         "15 at most, for a product of 16 bits");
}

void QuantizedVerifier::check(const QTable& table) const {
  expect_shape(input(0).shape);
  const auto& functions = table_functions();
  expect(std::find(functions.begin(), functions.end(), table.function) != functions.end(),
         "function '" + table.function.substr(0, 40) + "'", fmt::format("{}", fmt::join(functions, ", ")));
  expect(std::isfinite(table.parameter) && table.parameter >= 0, fmt::format("parameter {}", table.parameter),
         "finite, 0 or more");
  if (const auto fixed = table_output_scale(table.function))
    expect(output().scale == fixed->scale && output().zero_point == fixed->zero_point,
           fmt::format("output scale {} and zero point {}", output().scale, output().zero_point),
           fmt::format("{} and {}", fixed->scale, fixed->zero_point));
  const auto needed = table_for(table.function, table.parameter, input(0), output(), graph_.profile);
  bool near = table.levels.size() == needed.size();
  for (std::size_t i = 0; near && i < needed.size(); ++i) near = std::abs(needed[i] - table.levels[i]) <= 1;
  expect(near, "levels that are not those of " + table.function, "what the scales ask for");
}

void QuantizedVerifier::check(const QAdd& add) const {
  check_operands();
  check_clamp(add.clamp_min, add.clamp_max);
  const auto needed = add_for(input(0), input(1), output());
  expect(add.left_shift == needed.left_shift, fmt::format("left shift {}", add.left_shift),
         fmt::format("{}", needed.left_shift));
  const auto real = [](const Requantization& by) {
    return std::ldexp(static_cast<double>(by.multiplier), by.shift - 31);
  };
  check_factor(add.left, real(needed.left), "left");
  check_factor(add.right, real(needed.right), "right");
  check_factor(add.output, real(needed.output), "output");
  expect(add.output.shift <= 0, fmt::format("output shift {}", add.output.shift), "at most 0");
}

void QuantizedVerifier::check(const QSoftmax& softmax) const {
  expect_shape(input(0).shape);
  expect(output().scale == 1.0f / 256 && output().zero_point == -128,
         fmt::format("output scale {} and zero point {}", output().scale, output().zero_point),
         "1/256 and -128");
  expect(output().shape.back() < 4096, fmt::format("{} classes", output().shape.back()), "4095 at most");
  const auto needed = softmax_for(input(0));
  check_factor(softmax.input,
               std::ldexp(static_cast<double>(needed.input.multiplier), needed.input.shift - 31), "input");
  expect(softmax.diff_min == needed.diff_min, fmt::format("diff_min {}", softmax.diff_min),
         fmt::format("{}", needed.diff_min));
}

void QuantizedVerifier::check(const QRequantize& op) const {
  expect_shape(input(0).shape);
  check_clamp(op.clamp_min, op.clamp_max);
  check_factor(op.requantization, static_cast<double>(input(0).scale) / static_cast<double>(output().scale),
               "its");
  const bool wide = input(0).dtype == DType::int16;
  expect(op.requantization.shift <= (wide ? 14 : 22), fmt::format("shift {}", op.requantization.shift),
         wide ? "14 at most, for a 16-bit input" : "22 at most, for an 8-bit input");
}

}  // namespace compress
