// What works on every element alone, and softmax.
#include <bit>

#include "libcompress/quant/reference/arithmetic.h"
#include "libcompress/quant/reference/run.h"

namespace compress::reference {

template <typename T>
std::span<const T> Run::operand(QValueId id) const {
  const auto& constant = value(id).constant;
  return constant.empty() ? data<T>(id) : std::span<const T>(constant.as<T>());
}

template <typename T, typename Use>
void Run::for_each_pair(const QNode& node, const Use& use) const {
  const auto left = operand<T>(node.inputs[0]), right = operand<T>(node.inputs[1]);
  const auto& shape = value(node.output).shape;
  const auto count = static_cast<std::size_t>(element_count(shape));
  if (left.size() == count && right.size() == count) {
    for (std::size_t i = 0; i < count; ++i) use(left[i], right[i]);
    return;
  }
  const auto left_strides = broadcast_strides(value(node.inputs[0]).shape, shape);
  const auto right_strides = broadcast_strides(value(node.inputs[1]).shape, shape);
  std::vector<std::int64_t> index(shape.size(), 0);
  std::int64_t l = 0, r = 0;
  for (std::size_t i = 0; i < count; ++i) {
    use(left[static_cast<std::size_t>(l)], right[static_cast<std::size_t>(r)]);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      l += left_strides[axis], r += right_strides[axis];
      if (++index[axis] < shape[axis]) break;
      l -= left_strides[axis] * shape[axis], r -= right_strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

template <typename T>
void Run::compute(const QAdd& add, const QNode& node, const Prepared&, std::span<T> output) {
  const auto left_zero = value(node.inputs[0]).zero_point;
  const auto right_zero = value(node.inputs[1]).zero_point;
  const auto output_zero = value(node.output).zero_point;
  const std::int32_t headroom = 1 << add.left_shift;
  auto* result = output.data();
  for_each_pair<T>(node, [&](T left, T right) {
    const auto a = requantize((left - left_zero) * headroom, add.left);
    const auto b = requantize((right - right_zero) * headroom, add.right);
    const auto sum = requantize(add.subtract ? a - b : a + b, add.output);
    *result++ = clamp_to<T>(sum + output_zero, add.clamp_min, add.clamp_max);
  });
}

void Run::compute(const QMul& mul, const QNode& node, const Prepared&, std::span<std::int8_t> output) {
  const auto left_zero = value(node.inputs[0]).zero_point;
  const auto right_zero = value(node.inputs[1]).zero_point;
  const auto output_zero = value(node.output).zero_point;
  auto* result = output.data();
  for_each_pair<std::int8_t>(node, [&](std::int8_t left, std::int8_t right) {
    const auto product = requantize((left - left_zero) * (right - right_zero), mul.requantization);
    *result++ = clamp_to_int8(product + output_zero, mul.clamp_min, mul.clamp_max);
  });
}

void Run::compute(const QTable& table, const QNode& node, const Prepared&, std::span<std::int8_t> output) {
  const auto& source = data(node.inputs[0]);
  for (std::size_t i = 0; i < output.size(); ++i)
    output[i] = table.levels[static_cast<std::size_t>(source[i] + 128)];
}

void Run::compute(const QSoftmax& softmax, const QNode& node, const Prepared&,
                  std::span<std::int8_t> output) {
  const auto classes = static_cast<std::size_t>(value(node.output).shape.back());
  const auto& source = data(node.inputs[0]);
  for (std::size_t row = 0; row < source.size(); row += classes)
    softmax_row(softmax, {source.data() + row, classes}, {output.data() + row, classes});
}

void Run::softmax_row(const QSoftmax& softmax, std::span<const std::int8_t> input,
                      std::span<std::int8_t> output) {
  constexpr int kSumIntegerBits = 12;
  const std::int32_t largest = *std::max_element(input.begin(), input.end());
  const auto exp_of = [&](std::int32_t difference) {
    return fixed_point::exp_of_negative(requantize(difference, softmax.input));
  };
  std::int32_t sum = 0;
  for (const auto element : input) {
    const auto difference = element - largest;
    if (difference >= softmax.diff_min)
      sum += fixed_point::rounding_shift_right(exp_of(difference), kSumIntegerBits);
  }
  // sum = 2^(headroom bits) * (1 + rest) with rest in 0 .. 1.
  const int headroom = std::countl_zero(static_cast<std::uint32_t>(sum));
  const auto rest = static_cast<std::int32_t>((static_cast<std::uint32_t>(sum) << headroom) - (1u << 31));
  const auto scale = fixed_point::reciprocal_of_one_plus(rest);
  const int shift = kSumIntegerBits - headroom + 31 - 8;
  for (std::size_t i = 0; i < input.size(); ++i) {
    const auto difference = input[i] - largest;
    std::int32_t result = -128;
    if (difference >= softmax.diff_min) {
      const auto product = fixed_point::doubling_high_multiply(scale, exp_of(difference));
      result = fixed_point::rounding_shift_right(product, shift) - 128;
    }
    output[i] = clamp_to_int8(result, -128, 127);
  }
}

template <typename T>
void Run::compute(const QRequantize& op, const QNode& node, const Prepared&, std::span<T> output) {
  if (value(node.inputs[0]).dtype == DType::int16)
    requantize_elements(op, node, data<std::int16_t>(node.inputs[0]), output);
  else
    requantize_elements(op, node, data(node.inputs[0]), output);
}

template <typename From, typename To>
void Run::requantize_elements(const QRequantize& op, const QNode& node, std::span<const From> source,
                              std::span<To> output) {
  const auto input_zero = value(node.inputs[0]).zero_point;
  const auto output_zero = value(node.output).zero_point;
  for (std::size_t i = 0; i < output.size(); ++i)
    output[i] = clamp_to<To>(requantize(source[i] - input_zero, op.requantization) + output_zero,
                             op.clamp_min, op.clamp_max);
}

template void Run::compute(const QAdd&, const QNode&, const Prepared&, std::span<std::int8_t>);
template void Run::compute(const QAdd&, const QNode&, const Prepared&, std::span<std::int16_t>);
template void Run::compute(const QRequantize&, const QNode&, const Prepared&, std::span<std::int8_t>);
template void Run::compute(const QRequantize&, const QNode&, const Prepared&, std::span<std::int16_t>);

}  // namespace compress::reference
