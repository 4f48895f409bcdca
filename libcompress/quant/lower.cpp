#include "libcompress/quant/lower.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include "libcompress/base/error.h"
#include "libcompress/quant/lower/lowering.h"

namespace compress {
namespace {

/// Calls use(NHWC position, NCHW position) for each element; other ranks are the same on both sides.
template <typename Use>
void for_each_position(const Shape& shape, const Use& use) {
  if (shape.size() != 4) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(element_count(shape)); ++i) use(i, i);
    return;
  }
  const auto area = static_cast<std::size_t>(shape[1] * shape[2]);
  const auto channels = static_cast<std::size_t>(shape[3]);
  for (std::size_t cell = 0; cell < area; ++cell) {
    for (std::size_t c = 0; c < channels; ++c) use(cell * channels + c, c * area + cell);
  }
}

}  // namespace

Scale scale_for(Range range) {
  const double low = std::min(range.low, 0.0f);
  const double high = std::max(range.high, 0.0f);
  assert(low < high);
  Scale result;
  result.scale = static_cast<float>((high - low) / 255);
  const double zero = std::round(-128 - low / result.scale);
  result.zero_point = static_cast<std::int32_t>(std::clamp(zero, -128.0, 127.0));
  return result;
}

QuantizedGraph lower(const Model& folded, const ValueRanges& ranges, const std::string& profile,
                     const NodeNames& one_scale) {
  verify(folded);
  return lowering::Lowering(folded, ranges, profile, one_scale).run();
}

std::vector<std::int8_t> quantize_input(const QuantizedGraph& graph, std::span<const float> input) {
  const auto& value = graph.value(graph.inputs[0]);
  if (static_cast<std::int64_t>(input.size()) != element_count(value.shape)) {
    throw Error(ErrorKind::usage, {fmt::format("int8 network '{}'", graph.name),
                                   fmt::format("an input of {} elements", input.size()),
                                   fmt::format("{}", element_count(value.shape)), ""});
  }
  std::vector<std::int8_t> result(input.size());
  for_each_position(value.shape, [&](std::size_t to, std::size_t from) {
    if (!std::isfinite(input[from]))
      throw Error(ErrorKind::input,
                  {"the input", fmt::format("{} at element {}", input[from], from), "finite numbers", ""});
    const float steps = std::round(input[from] / value.scale) + static_cast<float>(value.zero_point);
    result[to] = static_cast<std::int8_t>(std::clamp(steps, -128.0f, 127.0f));
  });
  return result;
}

namespace {

template <typename T>
std::vector<float> real_numbers(const QValue& value, std::span<const T> data) {
  if (static_cast<std::int64_t>(data.size()) != element_count(value.shape)) {
    throw Error(ErrorKind::usage,
                {fmt::format("int8 value '{}'", value.name), fmt::format("{} elements", data.size()),
                 fmt::format("{}", element_count(value.shape)), ""});
  }
  std::vector<float> result(data.size());
  for_each_position(value.shape, [&](std::size_t from, std::size_t to) {
    result[to] = value.scale * static_cast<float>(data[from] - value.zero_point);
  });
  return result;
}

}  // namespace

std::vector<float> dequantize(const QValue& value, std::span<const std::int8_t> data) {
  return real_numbers(value, data);
}

std::vector<float> dequantize(const QValue& value, const Tensor& data) {
  if (data.dtype() == DType::int16) return real_numbers(value, data.as<std::int16_t>());
  return real_numbers(value, data.as<std::int8_t>());
}

std::vector<float> dequantize_output(const QuantizedGraph& graph, std::span<const std::int8_t> output) {
  return dequantize(graph.value(graph.outputs[0]), output);
}

}  // namespace compress
