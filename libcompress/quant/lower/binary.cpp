#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "libcompress/quant/lower/operators.h"

namespace compress::lowering {
namespace {

/// `from` as the constant operand of a value of `rank` axes: its axes aligned right, in canonical order.
struct AlignedConstant {
  Shape shape;
  std::vector<float> numbers;
};
AlignedConstant aligned(std::span<const float> from, const Shape& shape, std::size_t rank) {
  Shape padded(rank - shape.size(), 1);
  padded.insert(padded.end(), shape.begin(), shape.end());
  const auto axes = canonical_order(rank);
  AlignedConstant result;
  for (const int axis : axes)
    result.shape.push_back(axis == kAdded ? 1 : padded[static_cast<std::size_t>(axis)]);
  for (const auto position : natural_positions(padded, axes)) result.numbers.push_back(from[position]);
  return result;
}

/// Symmetric, so that zeros stay zeros.
QValueId add_constant(Lowering& to, const Node& node, ValueId id, std::size_t rank) {
  const auto from = aligned(to.weight(id), to.shape(id), rank);
  float largest = 0;
  for (const float number : from.numbers) largest = std::max(largest, std::abs(number));
  refuse_if(!std::isfinite(largest), node, "a constant that is not finite", "finite numbers");
  const float scale = largest > 0 ? largest / 127 : 1.0f;
  Tensor data(DType::int8, from.shape);
  auto* level = data.as<std::int8_t>().data();
  for (const float number : from.numbers)
    *level++ = static_cast<std::int8_t>(std::clamp(std::round(number / scale), -127.0f, 127.0f));
  return to.add_constant(to.graph().value(id).name, std::move(data), scale);
}

struct Operands {
  QValueId left, right;
};
Operands operands_of(Lowering& to, const Node& node) {
  const auto rank = to.rank(node.output);
  const auto one = [&](ValueId id) {
    if (is_constant(to.graph(), id)) return add_constant(to, node, id, rank);
    refuse_if(to.rank(id) != rank, node, fmt::format("operands of {} and {} axes", to.rank(id), rank),
              "one rank");
    return to.canonical(id);
  };
  const auto left = one(node.inputs[0]);
  return {left, one(node.inputs[1])};
}

QValue with_scale(Scale scale) {
  QValue value;
  value.scale = scale.scale, value.zero_point = scale.zero_point;
  return value;
}

void add_sum(Lowering& to, const Node& node, bool subtract) {
  const auto [left, right] = operands_of(to, node);
  const auto scale = to.chosen_scale(to.result_of(node));
  auto op = add_for(to.value(left), to.value(right), with_scale(scale));
  op.subtract = subtract;
  to.join_clamp(node, op, scale);
  to.add_result(node, op, {left, right}, to.result_of(node), scale);
}

void add(Lowering& to, const Node& node) { add_sum(to, node, false); }
void sub(Lowering& to, const Node& node) { add_sum(to, node, true); }

void mul(Lowering& to, const Node& node) {
  const auto [left, right] = operands_of(to, node);
  const auto scale = to.chosen_scale(to.result_of(node));
  const double factor =
      static_cast<double>(to.value(left).scale) * static_cast<double>(to.value(right).scale) / scale.scale;
  if (!(factor < 0x1p14))
    refuse(node, fmt::format("a product whose step is {} of its factors'", 1 / factor), "2^-14 or more",
           "calibrate with inputs that drive it");
  auto op = mul_for(to.value(left), to.value(right), with_scale(scale), to.profile());
  to.join_clamp(node, op, scale);
  to.add_result(node, op, {left, right}, to.result_of(node), scale);
}

}  // namespace

std::vector<Operator> binary_operators() {
  constexpr auto kAny = Operator::Operands::any;
  return {{"add", add, kAny}, {"mul", mul, kAny}, {"sub", sub, kAny}};
}

}  // namespace compress::lowering
