// Layers of activations of 16 bits: zero point 0, weights of 8 bits, biases and sums of 64.
#include <fmt/format.h>

#include "libcompress/export/c_layers/layer_writer.h"

namespace compress {

std::optional<std::string> LayerWriter::lower_wide(const QConv& conv) {
  network_.kernels.insert("wide/conv");
  const auto data = value(1).constant.as<std::int8_t>();
  const auto channels = value(0).shape[3], outputs = output().shape[3];
  title_ = fmt::format("convolution in 16 bits {}{}{}", describe(conv.window),
                       conv.groups == 1 ? "" : fmt::format(", {} groups", conv.groups),
                       clamp_note(conv.clamp_min, conv.clamp_max));
  Fields fields = number_fields({{"groups", conv.groups},
                                 {"inputs_per_group", channels / conv.groups},
                                 {"outputs_per_group", outputs / conv.groups},
                                 {"lowest", conv.clamp_min},
                                 {"highest", conv.clamp_max}});
  const auto layout = fmt::format("[{}][{}][{}][{}]", outputs, conv.window.kernel[0], conv.window.kernel[1],
                                  channels / conv.groups);
  append(fields, weight_fields({data.begin(), data.end()}, layout, conv.requantization));
  return window_settings(prefixed("wide_conv_layer"), conv.window, fields) + call("wide_conv");
}

std::optional<std::string> LayerWriter::lower_wide(const QLinear& linear) {
  network_.kernels.insert("wide/linear");
  const auto data = value(1).constant.as<std::int8_t>();
  const auto inputs = value(1).shape[1], outputs = value(1).shape[0];
  title_ = fmt::format("fully connected in 16 bits, {} to {}{}", inputs, outputs,
                       clamp_note(linear.clamp_min, linear.clamp_max));
  Fields fields = number_fields({{"rows", element_count(output().shape) / outputs},
                                 {"inputs", inputs},
                                 {"outputs", outputs},
                                 {"lowest", linear.clamp_min},
                                 {"highest", linear.clamp_max}});
  append(fields, weight_fields({data.begin(), data.end()}, fmt::format("[{}][{}]", outputs, inputs),
                               linear.requantization));
  return settings(prefixed("wide_linear_layer"), fields) + call("wide_linear");
}

std::string LayerWriter::wide_pool(const std::string& kernel, const std::string& noun, const Window& window,
                                   std::int32_t lowest, std::int32_t highest) {
  network_.kernels.insert("wide/" + kernel);
  title_ = noun + " in 16 bits " + describe(window) + clamp_note(lowest, highest);
  const auto fields =
      number_fields({{"channels", output().shape[3]}, {"lowest", lowest}, {"highest", highest}});
  return window_settings(prefixed("wide_pool_layer"), window, fields) + call("wide_" + kernel);
}

std::optional<std::string> LayerWriter::lower_wide(const QMaxPool& op) {
  return wide_pool("max_pool", "max pool", op.window, op.clamp_min, op.clamp_max);
}

std::optional<std::string> LayerWriter::lower_wide(const QAvgPool& op) {
  return wide_pool("average_pool", "average pool", op.window, op.clamp_min, op.clamp_max);
}

std::optional<std::string> LayerWriter::lower_wide(const QAdd& add) {
  network_.kernels.insert("wide/add");
  title_ = std::string(add.subtract ? "difference" : "sum") + " in 16 bits" +
           clamp_note(add.clamp_min, add.clamp_max);
  const auto fields = number_fields({{"count", element_count(output().shape)},
                                     {"left_multiplier", add.left.multiplier},
                                     {"left_shift", add.left.shift},
                                     {"right_multiplier", add.right.multiplier},
                                     {"right_shift", add.right.shift},
                                     {"output_multiplier", add.output.multiplier},
                                     {"output_shift", add.output.shift},
                                     {"sign", add.subtract ? -1 : 1},
                                     {"headroom", add.left_shift},
                                     {"lowest", add.clamp_min},
                                     {"highest", add.clamp_max}});
  return settings(prefixed("wide_add_layer"), fields) +
         fmt::format("  {}(&layer, {}, {}, output);\n", prefixed("wide_add"), operand(0), operand(1));
}

std::optional<std::string> LayerWriter::lower_wide(const QPad& pad) {
  network_.kernels.insert("wide/pad");
  const auto fields = pad_fields(pad);
  return settings(prefixed("wide_pad_layer"), fields) + call("wide_pad");
}

std::optional<std::string> LayerWriter::lower_wide(const QRequantize& op) {
  network_.kernels.insert("wide/requantize");
  const auto bits = [](const QValue& value) { return value.dtype == DType::int16 ? 16 : 8; };
  title_ = fmt::format("from {} to {} bits{}", bits(value(0)), bits(output()),
                       clamp_note(op.clamp_min, op.clamp_max));
  const auto fields = number_fields({{"count", element_count(output().shape)},
                                     {"input_is_wide", bits(value(0)) == 16},
                                     {"output_is_wide", bits(output()) == 16},
                                     {"input_zero_point", value(0).zero_point},
                                     {"output_zero_point", output().zero_point},
                                     {"multiplier", op.requantization.multiplier},
                                     {"shift", op.requantization.shift},
                                     {"lowest", op.clamp_min},
                                     {"highest", op.clamp_max}});
  return settings(prefixed("wide_requantize_layer"), fields) + call("wide_requantize");
}

}  // namespace compress
