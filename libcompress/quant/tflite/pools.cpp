// Pools and means.
#include <fmt/format.h>

#include "libcompress/quant/tflite/reader.h"

namespace compress {

template <typename Op>
void QuantizedTfliteReader::pool() {
  constexpr std::uint16_t kWidth = 3, kHeight = 4, kActivation = 5;
  const auto x = activation(input(0)), y = make_output();
  Op op;
  op.window = window(value(x).shape, {options().integer(kHeight), options().integer(kWidth)}, 0);
  set_clamp(op, value(y), options().byte(kActivation));
  emit(std::move(op), {x}, y);
}
template void QuantizedTfliteReader::pool<QMaxPool>();
template void QuantizedTfliteReader::pool<QAvgPool>();

void QuantizedTfliteReader::mean() {
  const auto x = activation(input(0)), y = make_output();
  const auto rank = static_cast<std::int32_t>(value(x).shape.size());
  std::set<std::int32_t> axes;
  for (const auto axis : integers(1)) axes.insert(axis < 0 ? axis + rank : axis);
  const bool neighbors = !axes.empty() && *axes.begin() >= 1 && *axes.rbegin() < rank &&
                         *axes.rbegin() - *axes.begin() + 1 == static_cast<std::int32_t>(axes.size());
  if (!neighbors)
    refuse(fmt::format("a mean over axes [{}]", fmt::join(axes, ", ")), "neighbors behind the batch");
  QMean op{*axes.begin(), *axes.rbegin(), {}};
  op.requantization = mean_factor(value(x), value(y), extents_of(op, value(x).shape).count);
  emit(op, {x}, y);
}

}  // namespace compress
