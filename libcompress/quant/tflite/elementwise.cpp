// What works on every element alone, and softmax.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "libcompress/quant/tables.h"
#include "libcompress/quant/tflite/reader.h"

namespace compress {

Shape QuantizedTfliteReader::aligned(const Shape& shape, std::size_t rank) {
  Shape result(rank - std::min(rank, shape.size()), 1);
  result.insert(result.end(), shape.begin(), shape.end());
  return result;
}

QValueId QuantizedTfliteReader::operand(std::size_t i, std::size_t rank) {
  if (!is_constant(i)) {
    const auto x = activation(input(i));
    return value(x).shape.size() < rank ? rows_of(x, aligned(value(x).shape, rank)) : x;
  }
  const auto& record = constant(i, ElementType::int8, 1);
  check_scales(record);
  const auto& [scales, zeros, axis] = record.quantization;
  const auto zero = zeros.empty() ? 0 : zeros[0];
  if (scales.size() != 1 || zero < -128 || zero > 127)
    fail(where(record), fmt::format("{} scales and zero point {}", scales.size(), zero),
         "1, and -128 to 127");
  const auto shape = aligned(record.shape, rank);
  QValue made{.name = name_of_activation(record), .shape = shape, .scale = scales[0]};
  made.zero_point = static_cast<std::int32_t>(zero);
  made.constant = tensor_of(record, DType::int8, shape);
  return append(std::move(made));
}

QuantizedTfliteReader::Operands QuantizedTfliteReader::operands() {
  const auto y = make_output();
  const auto rank = value(y).shape.size();
  const auto left = operand(0, rank);
  return {left, operand(1, rank), y};
}

void QuantizedTfliteReader::sum(bool subtract) {
  const auto [left, right, y] = operands();
  check_add(value(y), {left, right});
  auto op = add_for(value(left), value(right), value(y));
  op.subtract = subtract;
  set_clamp(op, value(y), options().byte(0));
  emit(op, {left, right}, y);
}

void QuantizedTfliteReader::mul() {
  const auto [left, right, y] = operands();
  auto op = mul_for(value(left), value(right), value(y), graph_.profile);
  set_clamp(op, value(y), options().byte(0));
  emit(op, {left, right}, y);
}

void QuantizedTfliteReader::table(const std::string& function, float parameter) {
  const auto x = activation(input(0)), y = make_output();
  auto levels = table_for(function, parameter, value(x), value(y), graph_.profile);
  emit(QTable{function, parameter, std::move(levels)}, {x}, y);
}

void QuantizedTfliteReader::check_add(const QValue& output, std::array<QValueId, 2> inputs) const {
  constexpr std::uint16_t kPowersOfTwo = 1;
  if (output.dtype != DType::int16 || options().byte(kPowersOfTwo, 1) == 0) return;
  int mantissas = 0;
  for (const auto scale : {value(inputs[0]).scale, value(inputs[1]).scale, output.scale}) {
    int exponent = 0;
    mantissas += std::frexp(scale, &exponent) == 0.5f;
  }
  if (mantissas == 3) refuse("a sum of 16 bits by powers of 2", "pot_scale_int16 false, or other scales");
}

void QuantizedTfliteReader::softmax() {
  const auto beta = options().number(0, 0);
  if (beta != 1) refuse(fmt::format("beta {}", beta), "1");
  const auto x = activation(input(0));
  emit(softmax_for(value(x)), {x}, make_output());
}

void QuantizedTfliteReader::quantize() {
  if (float_inputs_.erase(input(0)) > 0) {
    graph_.inputs.push_back(activation(output()));
    ++skipped_;
    return;
  }
  const auto x = activation(input(0)), y = make_output();
  QRequantize op;
  op.requantization =
      to_requantization(static_cast<double>(value(x).scale) / static_cast<double>(value(y).scale));
  limit(op, value(y), -kUnlimited, kUnlimited);
  emit(op, {x}, y);
}

void QuantizedTfliteReader::clamp(float low, float high) {
  const auto x = activation(input(0)), y = make_output();
  const auto &from = value(x), &to = value(y);
  const bool same = from.scale == to.scale && from.zero_point == to.zero_point;
  if (graph_.profile == "tflite-micro" && high != kUnlimited && !same)
    refuse("another scale behind the activation", "one scale in the profile tflite-micro");
  QRequantize op;
  op.requantization = to_requantization(static_cast<double>(from.scale / to.scale));
  limit(op, to, low, high);
  emit(op, {x}, y);
}

void QuantizedTfliteReader::bound(std::int32_t QRequantize::* end) {
  const std::size_t number = is_constant(0) ? 0 : 1;
  const auto x = activation(input(1 - number)), y = make_output();
  QRequantize op;
  op.requantization = to_requantization(1);
  limit(op, value(y), -kUnlimited, kUnlimited);
  op.*end = one_level(number, value(y).dtype);
  emit(op, {x}, y);
}

std::int32_t QuantizedTfliteReader::one_level(std::size_t i, DType dtype) const {
  const bool wide = dtype == DType::int16;
  const auto& record = constant(i, wide ? ElementType::int16 : ElementType::int8, size_of(dtype));
  if (element_count(record.shape) != 1)
    refuse("an operand of shape " + to_string(record.shape), "a constant of one element");
  if (!wide) return static_cast<std::int8_t>(record.data[0]);
  std::int16_t level = 0;
  std::memcpy(&level, record.data.data(), sizeof level);
  return level;
}

void QuantizedTfliteReader::dequantize() {
  if (std::find(file_.outputs.begin(), file_.outputs.end(), output()) == file_.outputs.end())
    refuse("floats inside the network", "one before an output");
  activation(input(0));
  dequantized_[output()] = input(0);
  ++skipped_;
}

}  // namespace compress
