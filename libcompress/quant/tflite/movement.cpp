// What moves numbers and computes none.
#include <fmt/format.h>

#include <algorithm>

#include "libcompress/quant/tflite/reader.h"

namespace compress {

QValueId QuantizedTfliteReader::rows_of(QValueId x, Shape shape) {
  auto rows = value(x);
  rows.name += ".rows";
  rows.shape = std::move(shape);
  const auto id = append(std::move(rows));
  emit(QReshape{}, {x}, id);
  return id;
}

void QuantizedTfliteReader::pad_v2() { emit_pad(one_level(2, value(activation(input(0))).dtype)); }

void QuantizedTfliteReader::emit_pad(std::int32_t level) {
  const auto x = activation(input(0));
  const auto amounts = integers(1);
  if (amounts.size() != 2 * value(x).shape.size())
    refuse(fmt::format("{} paddings", amounts.size()), "two for each axis");
  QPad op;
  op.level = level;
  for (std::size_t i = 0; i < amounts.size(); i += 2) {
    op.begin.push_back(amounts[i]);
    op.end.push_back(amounts[i + 1]);
  }
  emit(std::move(op), {x}, make_output());
}

void QuantizedTfliteReader::slice() {
  const auto x = activation(input(0));
  auto begin = integers(1);
  std::vector<std::int32_t> step(begin.size(), 1);
  emit(QSlice{std::move(begin), std::move(step)}, {x}, make_output());
}

/// Each number of numpy's a[begin:end:step, index]. How many there are follows from the output's shape, which
/// verify() compares; only axes that an index drops must be put back.
void QuantizedTfliteReader::strided_slice() {
  constexpr std::uint16_t kBeginMask = 0, kEllipsis = 2, kNewAxes = 3, kDropped = 4;
  if (options().integer(kEllipsis) != 0 || options().integer(kNewAxes) != 0)
    refuse("an ellipsis or a new axis", "an index for each axis");
  const auto x = activation(input(0));
  const auto shape = value(x).shape;
  QSlice op{integers(1), integers(3)};
  if (op.begin.size() != shape.size() || op.step.size() != shape.size())
    refuse(fmt::format("{} begins and {} strides", op.begin.size(), op.step.size()),
           fmt::format("{} of each", shape.size()));
  const auto in = [](std::int64_t mask, std::size_t axis) { return ((mask >> axis) & 1) != 0; };
  const auto dropped = options().integer(kDropped);
  const auto y = make_output();
  auto kept = value(y).shape;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    const bool drops = in(dropped, axis);
    if (drops) op.step[axis] = 1;
    const std::int64_t first = op.step[axis] > 0 ? 0 : shape[axis] - 1;
    const std::int64_t begin = op.begin[axis] < 0 ? op.begin[axis] + shape[axis] : op.begin[axis];
    const bool open = !drops && in(options().integer(kBeginMask), axis);
    op.begin[axis] = static_cast<std::int32_t>(
        open ? first : std::clamp<std::int64_t>(begin, 0, std::max<std::int64_t>(shape[axis] - 1, 0)));
    if (drops && axis <= kept.size()) kept.insert(kept.begin() + static_cast<std::ptrdiff_t>(axis), 1);
  }
  if (dropped == 0) return emit(std::move(op), {x}, y);
  auto whole = value(y);
  whole.name += ".kept";
  whole.shape = kept;
  const auto id = append(std::move(whole));
  emit(std::move(op), {x}, id);
  emit(QReshape{}, {id}, y);
}

void QuantizedTfliteReader::split() {
  const auto x = activation(input(1));
  const auto axes = integers(0);
  const auto rank = static_cast<std::int32_t>(value(x).shape.size());
  if (axes.size() != 1 || axes[0] < -rank || axes[0] >= rank)
    refuse(fmt::format("axis {}", fmt::join(axes, ", ")), fmt::format("one below {}", rank));
  const auto axis = static_cast<std::size_t>(axes[0] < 0 ? axes[0] + rank : axes[0]);
  const auto parts = static_cast<std::int64_t>(record_->outputs.size()), extent = value(x).shape[axis];
  if (extent % parts != 0) refuse(fmt::format("{} parts of {}", parts, extent), "a divisor");
  std::vector<std::int32_t> begin(value(x).shape.size()), step(begin.size(), 1);
  for (const auto index : record_->outputs) {
    emit(QSlice{begin, step}, {x}, activation(index));
    begin[axis] += static_cast<std::int32_t>(extent / parts);
  }
}

void QuantizedTfliteReader::resize_nearest() {
  constexpr std::uint16_t kAlignCorners = 0, kHalfPixel = 1;
  const auto x = activation(input(0));
  emit(QResize{options().boolean(kAlignCorners), options().boolean(kHalfPixel)}, {x}, make_output());
}

void QuantizedTfliteReader::concat() {
  constexpr std::uint16_t kAxis = 0, kActivation = 1;
  if (options().byte(kActivation) != 0) refuse("a fused activation", "NONE");
  std::vector<QValueId> inputs;
  for (std::size_t i = 0; i < record_->inputs.size(); ++i) inputs.push_back(activation(input(i)));
  const auto y = make_output();
  const auto rank = static_cast<std::int64_t>(value(y).shape.size());
  const auto axis = options().integer(kAxis);
  if (axis < -rank || axis >= rank) refuse(fmt::format("axis {}", axis), fmt::format("below {}", rank));
  emit(QConcat{static_cast<std::int32_t>(axis < 0 ? axis + rank : axis)}, std::move(inputs), y);
}

void QuantizedTfliteReader::transpose() {
  const auto x = activation(input(0));
  auto order = integers(1);
  const auto rank = static_cast<std::int32_t>(value(x).shape.size());
  for (auto& axis : order) {
    if (axis < -rank || axis >= rank) refuse(fmt::format("axis {}", axis), fmt::format("below {}", rank));
    if (axis < 0) axis += rank;
  }
  emit(QTranspose{std::move(order)}, {x}, make_output());
}

void QuantizedTfliteReader::reshape() {
  const auto x = activation(input(0));
  emit(QReshape{}, {x}, make_output());
}

}  // namespace compress
