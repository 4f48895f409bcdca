// Convolutions and fully connected layers.
#include "libcompress/export/tflite/writer.h"

namespace compress {
namespace {

/// [outputs, height, width, 1] as [1, height, width, outputs].
Tensor channels_last(const Tensor& from) {
  const auto& shape = from.shape();
  Tensor result(DType::int8, {1, shape[1], shape[2], shape[0]});
  const auto source = from.as<std::int8_t>();
  const auto to = result.as<std::int8_t>();
  const auto outputs = static_cast<std::size_t>(shape[0]);
  const auto taps = source.size() / outputs;
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t t = 0; t < taps; ++t) to[t * outputs + o] = source[o * taps + t];
  }
  return result;
}

}  // namespace

void TfliteWriter::write(const QConv& conv) {
  const auto& weight = input(1);
  for (std::size_t o = 0; o < conv.requantization.size(); ++o)
    expect_multiplier(conv.requantization[o], weight_factor(input(0), weight, o, output()));
  const bool depthwise = conv.groups == input(0).shape[3] && conv.groups > 1;
  const auto [x, padding] = padded(conv.window, input(0).zero_point);
  const auto w =
      depthwise ? constant(weight, channels_last(weight.constant), 3) : constant(weight, weight.constant, 0);
  const auto b = constant(input(2), input(2).constant, 0);
  const auto multiplier = static_cast<std::int32_t>(output().shape[3] / conv.groups);
  add_clamped(depthwise ? "DEPTHWISE_CONV_2D" : "CONV_2D", version(3, 5), {x, w, b},
              {conv.clamp_min, conv.clamp_max}, depthwise ? Settings::depthwise : Settings::conv,
              [&, padding = padding](std::int8_t activation) {
                int at = set_window(padding, conv.window);
                if (depthwise) set(at++, multiplier);
                set(at++, activation);
                set(at++, conv.window.dilation[1]);
                set(at, conv.window.dilation[0]);
              });
}

int TfliteWriter::set_window(std::int8_t padding, const Window& window) {
  set(0, padding);
  set(1, window.stride[1]);
  set(2, window.stride[0]);
  return 3;
}

void TfliteWriter::write(const QLinear& linear) {
  for (std::size_t o = 0; o < linear.requantization.size(); ++o)
    expect_multiplier(linear.requantization[o], weight_factor(input(0), input(1), o, output()));
  const auto x = tensor(node_->inputs[0]);
  const auto w = constant(input(1), input(1).constant, 0);
  const auto b = constant(input(2), input(2).constant, 0);
  const bool keeps_axes = input(0).shape.size() != 2;
  add_clamped("FULLY_CONNECTED", version(keeps_axes ? 5 : 4, 7), {x, w, b},
              {linear.clamp_min, linear.clamp_max}, Settings::linear, [&](std::int8_t activation) {
                set(0, activation);
                set(1, std::int8_t{0});
                set(2, static_cast<std::uint8_t>(keeps_axes));
              });
}

}  // namespace compress
