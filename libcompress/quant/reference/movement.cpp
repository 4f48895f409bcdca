// What moves numbers and computes none.
#include "libcompress/quant/reference/arithmetic.h"
#include "libcompress/quant/reference/run.h"

namespace compress::reference {
namespace {

std::vector<std::int64_t> strides_of(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

}  // namespace

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
void Run::walk(const Shape& shape, const std::vector<std::int64_t>& steps, const T* first,
               std::span<T> output) {
  const auto rank = shape.size();
  std::vector<std::int64_t> index(rank, 0);
  for (auto& element : output) {
    std::int64_t at = 0;
    for (std::size_t axis = 0; axis < rank; ++axis) at += index[axis] * steps[axis];
    element = first[at];
    for (std::size_t axis = rank; axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

template <typename T>
void Run::compute(const QTranspose& transpose, const QNode& node, const Prepared&, std::span<T> output) {
  const auto strides = strides_of(value(node.inputs[0]).shape);
  std::vector<std::int64_t> steps;
  for (const auto axis : transpose.order) steps.push_back(strides[static_cast<std::size_t>(axis)]);
  walk(value(node.output).shape, steps, data<T>(node.inputs[0]).data(), output);
}

template <typename T>
void Run::compute(const QSlice& slice, const QNode& node, const Prepared&, std::span<T> output) {
  auto steps = strides_of(value(node.inputs[0]).shape);
  std::int64_t first = 0;
  for (std::size_t axis = 0; axis < steps.size(); ++axis) {
    first += slice.begin[axis] * steps[axis];
    steps[axis] *= slice.step[axis];
  }
  walk(value(node.output).shape, steps, data<T>(node.inputs[0]).data() + first, output);
}

template <typename T>
void Run::compute(const QResize& resize, const QNode& node, const Prepared&, std::span<T> output) {
  const auto &from = value(node.inputs[0]).shape, &to = value(node.output).shape;
  const auto rows = sources_of(resize, from[1], to[1]), columns = sources_of(resize, from[2], to[2]);
  auto target = output.begin();
  for (const auto row : rows)
    for (const auto column : columns)
      target =
          std::copy_n(data<T>(node.inputs[0]).begin() + (row * from[2] + column) * from[3], from[3], target);
}

template <typename T>
void Run::compute(const QReshape&, const QNode& node, const Prepared&, std::span<T> output) {
  std::ranges::copy(data<T>(node.inputs[0]), output.begin());
}

template void Run::compute(const QPad&, const QNode&, const Prepared&, std::span<std::int8_t>);
template void Run::compute(const QPad&, const QNode&, const Prepared&, std::span<std::int16_t>);
template void Run::compute(const QSlice&, const QNode&, const Prepared&, std::span<std::int8_t>);
template void Run::compute(const QSlice&, const QNode&, const Prepared&, std::span<std::int16_t>);
template void Run::compute(const QResize&, const QNode&, const Prepared&, std::span<std::int8_t>);
template void Run::compute(const QResize&, const QNode&, const Prepared&, std::span<std::int16_t>);
template void Run::compute(const QConcat&, const QNode&, const Prepared&, std::span<std::int8_t>);
template void Run::compute(const QConcat&, const QNode&, const Prepared&, std::span<std::int16_t>);
template void Run::compute(const QTranspose&, const QNode&, const Prepared&, std::span<std::int8_t>);
template void Run::compute(const QTranspose&, const QNode&, const Prepared&, std::span<std::int16_t>);
template void Run::compute(const QReshape&, const QNode&, const Prepared&, std::span<std::int8_t>);
template void Run::compute(const QReshape&, const QNode&, const Prepared&, std::span<std::int16_t>);

}  // namespace compress::reference
