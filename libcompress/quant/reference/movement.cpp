// What moves numbers and computes none.
#include "libcompress/quant/reference/arithmetic.h"
#include "libcompress/quant/reference/run.h"

namespace compress::reference {

template <typename T>
void Run::compute(const QPad& pad, const QNode& node, const Prepared&, std::span<T> output) {
  const auto& from = value(node.inputs[0]).shape;
  const auto& to = value(node.output).shape;
  const auto& source = data<T>(node.inputs[0]);
  std::fill(output.begin(), output.end(), static_cast<T>(pad.level));
  for (std::size_t i = 0; i < source.size(); ++i) {
    std::int64_t rest = static_cast<std::int64_t>(i), at = 0, step = 1;
    for (std::size_t axis = from.size(); axis-- > 0;) {
      at += (rest % from[axis] + pad.begin[axis]) * step;
      rest /= from[axis];
      step *= to[axis];
    }
    output[static_cast<std::size_t>(at)] = source[i];
  }
}

template <typename T>
void Run::compute(const QConcat& concat, const QNode& node, const Prepared&, std::span<T> output) {
  const auto& shape = value(node.output).shape;
  const auto axis = static_cast<std::size_t>(concat.axis);
  const auto blocks = element_count({shape.begin(), shape.begin() + concat.axis});
  const auto below = element_count({shape.begin() + concat.axis + 1, shape.end()});
  const auto block = shape[axis] * below;
  std::int64_t offset = 0;
  for (const auto id : node.inputs) {
    const auto length = value(id).shape[axis] * below;
    for (std::int64_t b = 0; b < blocks; ++b)
      std::copy_n(data<T>(id).data() + b * length, length, output.data() + b * block + offset);
    offset += length;
  }
}

template <typename T>
void Run::compute(const QTranspose& transpose, const QNode& node, const Prepared&, std::span<T> output) {
  const auto& input_shape = value(node.inputs[0]).shape;
  const auto& shape = value(node.output).shape;
  const auto rank = shape.size();
  std::vector<std::int64_t> input_strides(rank, 1);
  for (std::size_t axis = rank; axis-- > 1;)
    input_strides[axis - 1] = input_strides[axis] * input_shape[axis];
  std::vector<std::int64_t> index(rank, 0);
  const auto& source = data<T>(node.inputs[0]);
  for (auto& element : output) {
    std::int64_t at = 0;
    for (std::size_t axis = 0; axis < rank; ++axis)
      at += index[axis] * input_strides[static_cast<std::size_t>(transpose.order[axis])];
    element = source[static_cast<std::size_t>(at)];
    for (std::size_t axis = rank; axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

template <typename T>
void Run::compute(const QReshape&, const QNode& node, const Prepared&, std::span<T> output) {
  std::ranges::copy(data<T>(node.inputs[0]), output.begin());
}

template void Run::compute(const QPad&, const QNode&, const Prepared&, std::span<std::int8_t>);
template void Run::compute(const QPad&, const QNode&, const Prepared&, std::span<std::int16_t>);
template void Run::compute(const QConcat&, const QNode&, const Prepared&, std::span<std::int8_t>);
template void Run::compute(const QConcat&, const QNode&, const Prepared&, std::span<std::int16_t>);
template void Run::compute(const QTranspose&, const QNode&, const Prepared&, std::span<std::int8_t>);
template void Run::compute(const QTranspose&, const QNode&, const Prepared&, std::span<std::int16_t>);
template void Run::compute(const QReshape&, const QNode&, const Prepared&, std::span<std::int8_t>);
template void Run::compute(const QReshape&, const QNode&, const Prepared&, std::span<std::int16_t>);

}  // namespace compress::reference
