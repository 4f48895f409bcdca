// Convolutions and fully connected layers.
#include <fmt/format.h>

#include "libcompress/export/c_layers/layer_writer.h"
#include "libcompress/export/c_layers/packed.h"

namespace compress {
namespace {

/// Weights of a depthwise convolution from [channel][tap] to [tap][channel], so that channels are
/// neighbors.
std::vector<std::int8_t> taps_first(std::span<const std::int8_t> weights, std::size_t channels) {
  const auto taps = weights.size() / channels;
  std::vector<std::int8_t> result(weights.size());
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t t = 0; t < taps; ++t) result[t * channels + c] = weights[c * taps + t];
  return result;
}

}  // namespace

std::string LayerWriter::lower(const QConv& conv) {
  const auto& weights = value(1);
  const auto data = weights.constant.as<std::int8_t>();
  const auto channels = value(0).shape[3], outputs = output().shape[3];
  const bool depthwise = conv.groups > 1 && conv.groups == channels && outputs == channels;
  title_ =
      fmt::format("{} {}{}{}", depthwise ? "depthwise convolution" : "convolution", describe(conv.window),
                  depthwise || conv.groups == 1 ? "" : fmt::format(", {} groups", conv.groups),
                  clamp_note(conv.clamp_min, conv.clamp_max));
  if (has_vectors() && conv.groups == 1) return lower_vector(conv);
  if (has_vectors() && depthwise && pairs_fit_16_bits(weights)) return lower_vector_depthwise(conv);
  if (has_dsp() && packs(graph_, *node_)) return lower_packed(conv);
  const auto ends = number_fields({{"input_zero_point", value(0).zero_point},
                                   {"output_zero_point", output().zero_point},
                                   {"lowest", conv.clamp_min},
                                   {"highest", conv.clamp_max}});
  const auto kernel = fmt::format("[{}][{}]", conv.window.kernel[0], conv.window.kernel[1]);
  if (depthwise) {
    Fields fields = number_fields({{"channels", channels}});
    append(fields, ends);
    append(fields, weight_fields(taps_first(data, static_cast<std::size_t>(channels)),
                                 fmt::format("{}[{}]", kernel, channels), conv.requantization));
    return window_settings(prefixed("depthwise_layer"), conv.window, fields) + call_windowed("depthwise");
  }
  Fields fields = number_fields({{"groups", conv.groups},
                                 {"inputs_per_group", channels / conv.groups},
                                 {"outputs_per_group", outputs / conv.groups}});
  append(fields, ends);
  append(fields, weight_fields({data.begin(), data.end()},
                               fmt::format("[{}]{}[{}]", outputs, kernel, channels / conv.groups),
                               conv.requantization));
  return window_settings(prefixed("conv_layer"), conv.window, fields) + call_windowed("conv");
}

std::string LayerWriter::lower(const QLinear& linear) {
  const auto data = value(1).constant.as<std::int8_t>();
  const auto inputs = value(1).shape[1], outputs = value(1).shape[0];
  title_ = fmt::format("fully connected, {} to {}{}", inputs, outputs,
                       clamp_note(linear.clamp_min, linear.clamp_max));
  const bool rounds_once = linear_rounds_once(network_.graph());
  if (has_vectors() && (!rounds_once || all_shift_right(linear.requantization)))
    return lower_vector(linear, rounds_once);
  if (has_dsp() && packs_linear(graph_, *node_)) return lower_packed(linear);
  network_.kernels.insert("linear");
  Fields fields = number_fields({{"rows", element_count(output().shape) / outputs},
                                 {"inputs", inputs},
                                 {"outputs", outputs},
                                 {"input_zero_point", value(0).zero_point},
                                 {"output_zero_point", output().zero_point},
                                 {"lowest", linear.clamp_min},
                                 {"highest", linear.clamp_max}});
  append(fields, weight_fields({data.begin(), data.end()}, fmt::format("[{}][{}]", outputs, inputs),
                               linear.requantization));
  return settings(prefixed("linear_layer"), fields) + call("linear");
}

}  // namespace compress
