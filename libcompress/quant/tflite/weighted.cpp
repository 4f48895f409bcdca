// Convolutions and fully connected layers.
#include <fmt/format.h>

#include <algorithm>

#include "libcompress/base/checked.h"
#include "libcompress/quant/tflite/reader.h"

namespace compress {
namespace {

/// Of all layers together, outputs and weights. A small file may give one large tensor to many layers, and
/// each would take memory for its outputs and time for its proof that no sum overflows.
constexpr std::int64_t kMostOutputs = std::int64_t{1} << 24, kMostWeights = std::int64_t{1} << 31;

/// [1, height, width, outputs] as [outputs, height, width, 1].
Tensor channels_first(const Tensor& from) {
  const auto& shape = from.shape();
  Tensor result(DType::int8, {shape[3], shape[1], shape[2], 1});
  const auto source = from.as<std::int8_t>();
  const auto to = result.as<std::int8_t>();
  const auto outputs = static_cast<std::size_t>(shape[3]);
  const auto taps = source.size() / std::max<std::size_t>(outputs, 1);
  for (std::size_t t = 0; t < taps; ++t) {
    for (std::size_t o = 0; o < outputs; ++o) to[o * taps + t] = source[t * outputs + o];
  }
  return result;
}

}  // namespace

template <typename Op>
void QuantizedTfliteReader::emit_weighted(Op op, Form form, QValueId x, std::uint16_t activation) {
  const auto y = make_output();
  const auto node = value(y).name;
  const auto w = weight(form, node);
  charge(value(w).shape);
  const auto b = bias(value(x), value(w), node);
  const auto outputs = static_cast<std::size_t>(value(w).shape[0]);
  for (std::size_t o = 0; o < outputs; ++o)
    op.requantization.push_back(to_requantization(weight_factor(value(x), value(w), o, value(y))));
  set_clamp(op, value(y), options().byte(activation));
  emit(std::move(op), {x, w, b}, y);
}

std::vector<float> QuantizedTfliteReader::weight_scales(const TensorRecord& record, std::size_t axis) const {
  check_scales(record);
  const auto& q = record.quantization;
  const auto outputs = static_cast<std::size_t>(record.shape[axis]);
  if (q.scales.size() != 1 && (q.scales.size() != outputs || q.axis != static_cast<std::int64_t>(axis)))
    fail(where(record),
         fmt::format("{} scales along axis {} of {}", q.scales.size(), q.axis, to_string(record.shape)),
         fmt::format("1, or {} along axis {}", outputs, axis));
  if (std::any_of(q.zero_points.begin(), q.zero_points.end(), [](auto zero) { return zero != 0; }))
    fail(where(record), "weights with a zero point", "zero points of 0");
  return {q.scales.begin(), q.scales.end()};
}

QValueId QuantizedTfliteReader::weight(Form form, const std::string& node) {
  const auto key = std::pair(input(1), form);
  const auto known = weights_.find(key);
  if (known != weights_.end()) return known->second;
  const auto& record = constant(1, ElementType::int8, 1);
  const std::size_t rank = form == Form::linear ? 2 : 4;
  if (record.shape.size() != rank || (form == Form::depthwise && record.shape[0] != 1))
    fail(where(record), "weights of shape " + to_string(record.shape),
         form == Form::linear      ? "[outputs, inputs]"
         : form == Form::depthwise ? "[1, height, width, outputs]"
                                   : "[outputs, height, width, inputs]");
  auto scales = weight_scales(record, form == Form::depthwise ? 3 : 0);
  auto data = tensor_of(record, DType::int8, record.shape);
  if (form == Form::depthwise) data = channels_first(data);
  QValue value{.name = node + ".weight", .shape = data.shape(), .constant = data};
  if (scales.size() == 1)
    value.scale = scales[0];
  else
    value.channel_scales = std::move(scales);
  return weights_[key] = append(std::move(value));
}

QValueId QuantizedTfliteReader::bias(const QValue& input, const QValue& weight, const std::string& node) {
  const auto outputs = weight.shape[0];
  const bool wide = input.dtype == DType::int16;
  QValue value;
  value.name = node + ".bias";
  value.dtype = wide ? DType::int64 : DType::int32;
  value.shape = {outputs};
  value.scale = input.scale * weight.scale;
  for (const auto scale : weight.channel_scales) value.channel_scales.push_back(input.scale * scale);
  if (!weight.channel_scales.empty()) value.scale = 1.0f;
  value.constant = Tensor(value.dtype, {outputs});
  if (!has(2)) return append(std::move(value));
  const auto& record = constant(2, wide ? ElementType::int64 : ElementType::int32, size_of(value.dtype));
  if (record.shape != Shape{outputs})
    fail(where(record), "a bias of shape " + to_string(record.shape), fmt::format("[{}]", outputs));
  const auto& zeros = record.quantization.zero_points;
  if (std::any_of(zeros.begin(), zeros.end(), [](auto zero) { return zero != 0; }))
    fail(where(record), "a bias with a zero point", "zero points of 0");
  value.constant = tensor_of(record, value.dtype, {outputs});
  return append(std::move(value));
}

void QuantizedTfliteReader::charge(const Shape& weights) {
  outputs_ += weights[0];
  weighed_ += element_count(weights);
  if (outputs_ > kMostOutputs || weighed_ > kMostWeights)
    refuse("more outputs or weights than all layers may have",
           fmt::format("{} outputs, {} weights", kMostOutputs, kMostWeights));
}

void QuantizedTfliteReader::convolution(Form form, const WindowFields& fields) {
  const auto x = activation(input(0));
  const auto& kernel = constant(1, ElementType::int8, 1).shape;
  if (kernel.size() != 4)
    refuse("weights of shape " + to_string(kernel), "4 axes, the height and width in the middle");
  QConv conv;
  conv.window = window(value(x).shape, {kernel[1], kernel[2]}, fields.dilation);
  const auto channels = value(x).shape[3], of_a_group = form == Form::depthwise ? 1 : kernel[3];
  if (of_a_group < 1 || channels % of_a_group != 0 || channels / of_a_group > kLargestSetting)
    refuse(fmt::format("weights {} for {} channels", to_string(kernel), channels), "groups of equal size");
  conv.groups = static_cast<std::int32_t>(channels / of_a_group);
  emit_weighted(std::move(conv), form, x, fields.activation);
}

void QuantizedTfliteReader::fully_connected() {
  constexpr std::uint16_t kActivation = 0, kFormat = 1, kKeepsAxes = 2;
  if (options().byte(kFormat) != 0) refuse("shuffled weights", "the default format");
  auto x = activation(input(0));
  const auto shape = value(x).shape;
  const bool keeps = options().boolean(kKeepsAxes) && shape.size() >= 2;
  const auto& weights = constant(1, ElementType::int8, 1).shape;
  const auto features = weights.size() == 2 ? weights[1] : 0;
  const auto elements = checked_product(shape, where());
  if (features < 1 || elements % features != 0)
    refuse(fmt::format("weights {} for an input {}", to_string(weights), to_string(shape)),
           "[outputs, features]");
  if (!keeps && (shape.size() != 2 || shape[1] != features)) x = rows_of(x, {elements / features, features});
  emit_weighted(QLinear{}, Form::linear, x, kActivation);
}

}  // namespace compress
