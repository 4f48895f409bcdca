// What moves numbers and computes none.
#include <fmt/format.h>

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
