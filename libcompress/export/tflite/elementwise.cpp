// What works on every element alone, and softmax.
#include <cmath>

#include "libcompress/export/tflite/writer.h"
#include "libcompress/quant/tables.h"

namespace compress {

void TfliteWriter::write(const QAdd& add) {
  add_clamped(add.subtract ? "SUB" : "ADD", version(2, 4), {operand(0), operand(1)},
              {add.clamp_min, add.clamp_max}, add.subtract ? Settings::sub : Settings::add,
              [&](std::int8_t activation) {
                set(0, activation);
                set(1, std::uint8_t{0});  // 16 bits: scales need not be powers of 2
              });
}

void TfliteWriter::write(const QMul& mul) {
  const auto needed = mul_for(input(0), input(1), output(), graph_.profile).requantization;
  expect_multiplier(mul.requantization,
                    std::ldexp(static_cast<double>(needed.multiplier), needed.shift - 31));
  add_clamped("MUL", 2, {operand(0), operand(1)}, {mul.clamp_min, mul.clamp_max}, Settings::mul,
              set_activation());
}

void TfliteWriter::write(const QTable& table) {
  const auto x = tensor(node_->inputs[0]), y = tensor(node_->output);
  if (table.function == "sigmoid") return add_operator("LOGISTIC", 2, {x}, y);
  if (table.function == "tanh") return add_operator("TANH", 2, {x}, y);
  if (table.function == "hard_swish") return add_operator("HARD_SWISH", 1, {x}, y);
  if (table.function == "elu") return add_operator("ELU", 1, {x}, y);
  if (table.function == "leaky_relu")
    return add_operator("LEAKY_RELU", 2, {x}, y, Settings::leaky_relu, [&] { set(0, table.parameter); });
  if (table.function == "silu") return write_silu(x, y);
  if (table.function == "hard_sigmoid") return write_hard_sigmoid(x, y);
  if (graph_.profile == "tflite-micro")
    refuse("gelu", "a function that TensorFlow Lite Micro has", "export it in the profile litert");
  const bool by_tanh = table.function == "gelu_tanh";
  add_operator("GELU", 2, {x}, y, Settings::gelu, [&] { set(0, static_cast<std::uint8_t>(by_tanh)); });
}

void TfliteWriter::write_silu(std::int32_t x, std::int32_t y) {
  const auto gate = activation(output().name + ".sigmoid", output().shape, table_middle("silu"));
  add_operator("LOGISTIC", 2, {x}, gate);
  add_operator("MUL", 2, {x, gate}, y, Settings::mul, [&] { set(0, std::int8_t{0}); });
}

void TfliteWriter::write_hard_sigmoid(std::int32_t x, std::int32_t y) {
  constexpr std::int8_t kRelu6 = 3;
  const auto sum = activation(output().name + ".sum", output().shape, table_middle("hard_sigmoid"));
  const auto offset = largest_level(".offset", hard_sigmoid_offset());
  const auto factor = largest_level(".factor", hard_sigmoid_factor());
  add_operator("ADD", 2, {x, offset}, sum, Settings::add, [&] { set(0, kRelu6); });
  add_operator("MUL", 2, {sum, factor}, y, Settings::mul, [&] { set(0, std::int8_t{0}); });
}

std::int32_t TfliteWriter::largest_level(const std::string& what, const QValue& like) {
  constexpr std::int8_t kLevel = 127;
  return add_tensor(output().name + what, {1}, ElementType::int8, std::as_bytes(std::span(&kLevel, 1)),
                    quantization({like.scale}, like.zero_point, 0));
}

void TfliteWriter::write(const QSoftmax&) {
  add_operator("SOFTMAX", 2, {tensor(node_->inputs[0])}, tensor(node_->output), Settings::softmax,
               [&] { set(0, 1.0f); });
}

void TfliteWriter::write(const QRequantize& op) {
  const auto &from = input(0), &to = output();
  const std::vector inputs{tensor(node_->inputs[0])};
  const Clamp clamp{op.clamp_min, op.clamp_max};
  const auto* alone =
      graph_.profile == "litert" && !is_wide(from) && !is_wide(to) ? activation_for(clamp) : nullptr;
  if (alone && alone->number != 0 && follows(op.requantization, static_cast<double>(from.scale / to.scale))) {
    add_operator(alone->op, alone->version, inputs, tensor(node_->output));
    return;
  }
  expect_multiplier(op.requantization, static_cast<double>(from.scale) / static_cast<double>(to.scale));
  const bool free = LevelRange{clamp.lowest, clamp.highest} == levels_of(to.dtype);
  const auto quantized = free ? tensor(node_->output) : unclamped();
  add_operator("QUANTIZE", 2, inputs, quantized);
  if (!free) add_limits(quantized, clamp);
}

}  // namespace compress
