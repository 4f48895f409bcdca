// From nodes to layer functions: a constant struct of settings and the call of a kernel.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "libcompress/base/error.h"
#include "libcompress/export/c_network.h"
#include "libcompress/export/c_text.h"
#include "libcompress/export/stream_plan.h"

namespace compress {
namespace {

/// Kernels index with int32; no microcontroller comes near.
constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;

using Fields = std::vector<std::pair<std::string, std::string>>;

Fields number_fields(std::initializer_list<std::pair<const char*, std::int64_t>> numbers) {
  Fields fields;
  for (const auto& [name, number] : numbers) fields.emplace_back(name, std::to_string(number));
  return fields;
}

/// "  static const NAME_conv_layer layer = {...};", wrapped.
std::string settings(const std::string& type, const Fields& fields) {
  std::string text = fmt::format("  static const {} layer = {{\n", type), line = "     ";
  for (const auto& [name, value] : fields) {
    const auto item = fmt::format(" .{} = {},", name, value);
    if (line.size() + item.size() > 110 && line.size() > 5) {
      text += line + "\n";
      line = "     ";
    }
    line += item;
  }
  return text + line + "\n  };\n";
}

std::string size_text(const std::int32_t (&pair)[2]) { return fmt::format("{}x{}", pair[0], pair[1]); }

std::string describe(const Window& window) {
  auto text = size_text(window.kernel);
  if (window.stride[0] != 1 || window.stride[1] != 1) text += ", stride " + size_text(window.stride);
  if (window.pad_begin[0] || window.pad_begin[1] || window.pad_end[0] || window.pad_end[1])
    text += fmt::format(", padding {} above, {} below, {} left, {} right", window.pad_begin[0],
                        window.pad_end[0], window.pad_begin[1], window.pad_end[1]);
  if (window.dilation[0] != 1 || window.dilation[1] != 1) text += ", dilation " + size_text(window.dilation);
  return text;
}

std::string clamp_note(std::int32_t lowest, std::int32_t highest) {
  return lowest == -128 && highest == 127 ? "" : fmt::format(", limited to {} .. {}", lowest, highest);
}

/// Makes the layers of one graph.
class Lowering {
 public:
  Lowering(CNetwork& network, const QuantizedGraph& sized, CForm form)
      : network_(network), graph_(sized), form_(form) {}

  CLayer run(std::size_t position) {
    const auto digits = std::max<std::size_t>(2, std::to_string(graph_.nodes.size()).size());
    node_ = &graph_.nodes[position];
    position_ = fmt::format("{:0{}}", position + 1, digits);
    check_size();
    CLayer layer;
    layer.node = &network_.graph().nodes[position];
    layer.shapes = shapes_of(network_.graph(), *layer.node);
    layer.macs = macs_of(network_.graph(), *layer.node);
    const auto& places = network_.storage.places;
    const bool silent = moves_nothing(graph_, *node_) &&
                        places[index_of(node_->inputs[0])] == places[index_of(node_->output)];
    if (!silent) {
      layer.function = "layer_" + stem();
      layer.body = std::visit([&](const auto& op) { return lower(op); }, node_->op);
      layer.parameters = parameters();
    } else {
      title_ = std::holds_alternative<QReshape>(node_->op) ? "reshape" : "transpose";
      title_ += " without moving a byte";
    }
    layer.title = fmt::format("{} {}: {}", position + 1, comment_text(node_->name), title_);
    return layer;
  }

 private:
  const QValue& value(std::size_t input) const { return graph_.value(node_->inputs[input]); }
  const QValue& output() const { return graph_.value(node_->output); }
  std::string prefixed(std::string_view text) const { return fmt::format("{}_{}", network_.name, text); }

  /// "03_conv2": unique by the position.
  std::string stem() const {
    std::string part;
    for (const char c : node_->name.substr(0, 32)) {
      const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (fine || (!part.empty() && part.back() != '_')) part += fine ? c : '_';
    }
    return position_ + "_" + part;
  }

  [[noreturn]] void refuse(const std::string& found, const std::string& allowed) const {
    throw Error(ErrorKind::input, {"C export, node '" + node_->name + "'", found, allowed, ""});
  }

  void check_size() const {
    for (const auto id : node_->inputs)
      if (bytes_of(graph_, id) > kMostBytes) refuse("an input of more than 2^30 elements", "at most 2^30");
    if (bytes_of(graph_, node_->output) > kMostBytes)
      refuse("an output of more than 2^30 bytes", "at most 2^30");
  }

  static std::string shapes_of(const QuantizedGraph& graph, const QNode& node) {
    std::string text;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const auto& input = graph.value(node.inputs[i]);
      if (input.constant.empty()) text += (i ? " and " : "") + to_string(input.shape);
    }
    return text + " -> " + to_string(graph.value(node.output).shape);
  }

  static std::int64_t macs_of(const QuantizedGraph& graph, const QNode& node) {
    if (!std::holds_alternative<QConv>(node.op) && !std::holds_alternative<QLinear>(node.op)) return 0;
    const auto& weights = graph.value(node.inputs[1]).shape;
    return element_count(graph.value(node.output).shape) * (element_count(weights) / weights[0]);
  }

  std::string parameters() const {
    if (form_ == CForm::rows)
      return fmt::format("const int8_t *const input[{}], int8_t *output", row_window(*node_).kernel);
    if (form_ == CForm::take)
      return std::string("const int8_t *input, int first, int32_t rows, ") +
             (sums() ? "int8_t *sums, " : "") + "int8_t *output";
    std::string text;
    std::size_t count = 0;
    for (std::size_t i = 0; i < node_->inputs.size(); ++i)
      if (value(i).constant.empty())
        text += fmt::format("const int8_t *input{}, ", count++ ? std::to_string(count - 1) : "");
    return text + "int8_t *output";
  }

  bool sums() const { return std::holds_alternative<QAvgPool>(node_->op); }

  std::string constant(CConstant constant, const std::string& kind, const std::string& layout) {
    constant.name = prefixed(stem() + "_" + kind);
    constant.comment = fmt::format("{}: {} {}", comment_text(node_->name), kind, layout);
    network_.constants.push_back(std::move(constant));
    return network_.constants.back().name;
  }

  /// Weights of a depthwise convolution from [channel][tap] to [tap][channel], so that channels are
  /// neighbors.
  static std::vector<std::int8_t> taps_first(std::span<const std::int8_t> weights, std::size_t channels) {
    const auto taps = weights.size() / channels;
    std::vector<std::int8_t> result(weights.size());
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t t = 0; t < taps; ++t) result[t * channels + c] = weights[c * taps + t];
    return result;
  }

  Fields weight_fields(std::vector<std::int8_t> weights, const std::string& layout,
                       const std::vector<Requantization>& requantization) {
    const auto bias = value(2).constant.as<std::int32_t>();
    CConstant biases{}, multipliers{}, shifts{};
    biases.words.assign(bias.begin(), bias.end());
    for (const auto& each : requantization) {
      multipliers.words.push_back(each.multiplier);
      shifts.bytes.push_back(static_cast<std::int8_t>(each.shift));
    }
    const auto count = fmt::format("[{}]", requantization.size());
    Fields fields;
    fields.emplace_back("weights", constant({"", "", std::move(weights), {}}, "weights", layout));
    fields.emplace_back("bias", constant(std::move(biases), "bias", count));
    fields.emplace_back("multipliers", constant(std::move(multipliers), "multipliers", count));
    fields.emplace_back("shifts", constant(std::move(shifts), "shifts", count));
    return fields;
  }

  std::pair<std::string, std::string> window_field(const Window& window) const {
    const auto& from = value(0).shape;
    const auto& to = output().shape;
    return {
        "window",
        fmt::format(
            "{{\n          .input_height = {}, .input_width = {}, .output_height = {}, .output_width = {},\n"
            "          .kernel_height = {}, .kernel_width = {}, .stride_height = {}, .stride_width = {},\n"
            "          .padding_top = {}, .padding_left = {}, .dilation_height = {}, .dilation_width = {}\n"
            "      }}",
            from[1], from[2], to[1], to[2], window.kernel[0], window.kernel[1], window.stride[0],
            window.stride[1], window.pad_begin[0], window.pad_begin[1], window.dilation[0],
            window.dilation[1])};
  }

  /// Settings that begin with the window, which takes lines of its own.
  std::string window_settings(const std::string& type, const Window& window, const Fields& fields) const {
    const auto text = settings(type, fields);
    const auto [name, braces] = window_field(window);
    const auto at = text.find("{\n") + 2;
    return text.substr(0, at) + fmt::format("      .{} = {},\n", name, braces) + text.substr(at);
  }

  std::string call(const std::string& kernel) const {
    return fmt::format("  {}(&layer, input, output);\n", prefixed(kernel));
  }

  /// Of a kernel that comes in all forms.
  std::string call_windowed(const std::string& kernel) {
    constexpr std::string_view kSuffixes[] = {"", "_rows", "_take"};
    const auto name = kernel + std::string(kSuffixes[static_cast<std::size_t>(form_)]);
    network_.kernels.insert(name);
    if (form_ != CForm::take) return call(name);
    return fmt::format("  {}(&layer, input, first, rows, {}output);\n", prefixed(name),
                       sums() ? "sums, " : "");
  }

  static void append(Fields& fields, const Fields& more) {
    fields.insert(fields.end(), more.begin(), more.end());
  }

  std::string lower(const QConv& conv) {
    const auto& weights = value(1);
    const auto data = weights.constant.as<std::int8_t>();
    const auto channels = value(0).shape[3], outputs = output().shape[3];
    const bool depthwise = conv.groups > 1 && conv.groups == channels && outputs == channels;
    title_ =
        fmt::format("{} {}{}{}", depthwise ? "depthwise convolution" : "convolution", describe(conv.window),
                    depthwise || conv.groups == 1 ? "" : fmt::format(", {} groups", conv.groups),
                    clamp_note(conv.clamp_min, conv.clamp_max));
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

  std::string lower(const QLinear& linear) {
    network_.kernels.insert("linear");
    const auto data = value(1).constant.as<std::int8_t>();
    const auto inputs = value(1).shape[1], outputs = value(1).shape[0];
    title_ = fmt::format("fully connected, {} to {}{}", inputs, outputs,
                         clamp_note(linear.clamp_min, linear.clamp_max));
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

  std::string pool(const std::string& kernel, const std::string& noun, const Window& window,
                   std::int32_t lowest, std::int32_t highest) {
    title_ = noun + " " + describe(window) + clamp_note(lowest, highest);
    const auto fields =
        number_fields({{"channels", output().shape[3]}, {"lowest", lowest}, {"highest", highest}});
    return window_settings(prefixed(kernel + "_layer"), window, fields) + call_windowed(kernel);
  }
  std::string lower(const QMaxPool& op) {
    return pool("max_pool", "max pool", op.window, op.clamp_min, op.clamp_max);
  }
  std::string lower(const QAvgPool& op) {
    return pool("average_pool", "average pool", op.window, op.clamp_min, op.clamp_max);
  }

  /// The C name of an operand: a parameter of the layer function, or a constant.
  std::string operand(std::size_t i) {
    if (!value(i).constant.empty()) {
      const auto data = value(i).constant.as<std::int8_t>();
      return constant({"", "", {data.begin(), data.end()}, {}}, "operand", to_string(value(i).shape));
    }
    const bool second = i == 1 && value(0).constant.empty();
    return second ? "input1" : "input";
  }

  bool repeats() const {
    return element_count(value(0).shape) != element_count(output().shape) ||
           element_count(value(1).shape) != element_count(output().shape);
  }

  static std::string braces(std::vector<std::int64_t> list, std::int64_t filler) {
    list.insert(list.begin(), 4 - list.size(), filler);
    return fmt::format("{{{}}}", fmt::join(list, ", "));
  }

  /// Axes along which both operands go on as before are one.
  std::string spread() const {
    const auto& shape = output().shape;
    const auto left = broadcast_strides(value(0).shape, shape);
    const auto right = broadcast_strides(value(1).shape, shape);
    std::vector<std::int64_t> extents, left_steps, right_steps;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      if (shape[axis] == 1) continue;
      if (!extents.empty() && left_steps.back() == left[axis] * shape[axis] &&
          right_steps.back() == right[axis] * shape[axis]) {
        extents.back() *= shape[axis];
        left_steps.back() = left[axis], right_steps.back() = right[axis];
      } else {
        extents.push_back(shape[axis]);
        left_steps.push_back(left[axis]), right_steps.push_back(right[axis]);
      }
    }
    if (extents.size() > 4) refuse(fmt::format("operands over {} axes", extents.size()), "at most 4");
    return fmt::format(
        "  static const {} spread = {{\n      .extents = {}, .left_steps = {}, .right_steps = {},\n  }};\n",
        prefixed("spread"), braces(extents, 1), braces(left_steps, 0), braces(right_steps, 0));
  }

  std::string lower(const QAdd& add) {
    network_.kernels.insert(repeats() ? "add_spread" : "add");
    title_ = (add.subtract ? "difference" : "sum") + clamp_note(add.clamp_min, add.clamp_max);
    const auto fields = number_fields({{"count", element_count(output().shape)},
                                       {"left_zero_point", value(0).zero_point},
                                       {"left_multiplier", add.left.multiplier},
                                       {"left_shift", add.left.shift},
                                       {"right_zero_point", value(1).zero_point},
                                       {"right_multiplier", add.right.multiplier},
                                       {"right_shift", add.right.shift},
                                       {"output_zero_point", output().zero_point},
                                       {"output_multiplier", add.output.multiplier},
                                       {"output_shift", add.output.shift},
                                       {"sign", add.subtract ? -1 : 1},
                                       {"headroom", add.left_shift},
                                       {"lowest", add.clamp_min},
                                       {"highest", add.clamp_max}});
    const auto text = settings(prefixed("add_layer"), fields);
    const auto left = operand(0), right = operand(1);
    if (!repeats())
      return text + fmt::format("  {}(&layer, {}, {}, output);\n", prefixed("add"), left, right);
    return text + spread() +
           fmt::format("  {}(&layer, &spread, {}, {}, output);\n", prefixed("add_spread"), left, right);
  }

  std::string lower(const QMul& mul) {
    network_.kernels.insert("multiply");
    title_ = "product" + clamp_note(mul.clamp_min, mul.clamp_max);
    const auto fields = number_fields({{"left_zero_point", value(0).zero_point},
                                       {"right_zero_point", value(1).zero_point},
                                       {"output_zero_point", output().zero_point},
                                       {"multiplier", mul.requantization.multiplier},
                                       {"shift", mul.requantization.shift},
                                       {"lowest", mul.clamp_min},
                                       {"highest", mul.clamp_max}});
    const auto left = operand(0), right = operand(1);
    return settings(prefixed("multiply_layer"), fields) + spread() +
           fmt::format("  {}(&layer, &spread, {}, {}, output);\n", prefixed("multiply"), left, right);
  }

  std::string lower(const QMean& mean) {
    network_.kernels.insert("mean");
    title_ = mean.first_axis == mean.last_axis
                 ? fmt::format("mean over axis {}", mean.first_axis)
                 : fmt::format("mean over axes {} to {}", mean.first_axis, mean.last_axis);
    const auto [outer, count, inner] = extents_of(mean, value(0).shape);
    const auto fields = number_fields({{"outer", outer},
                                       {"count", count},
                                       {"inner", inner},
                                       {"input_zero_point", value(0).zero_point},
                                       {"output_zero_point", output().zero_point},
                                       {"multiplier", mean.requantization.multiplier},
                                       {"shift", mean.requantization.shift}});
    return settings(prefixed("mean_layer"), fields) + call("mean");
  }

  std::string lower(const QPad& pad) {
    network_.kernels.insert("pad");
    const auto &from = value(0).shape, &to = output().shape;
    title_ = fmt::format("padding by {} before and {} behind", fmt::join(pad.begin, ", "),
                         fmt::join(pad.end, ", "));
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < to.size(); ++axis) offset = offset * to[axis] + pad.begin[axis];
    Fields fields = {{"extents", braces(from, 1)}, {"output_extents", braces(to, 1)}};
    append(fields, number_fields({{"offset", offset}, {"level", pad.level}}));
    return settings(prefixed("pad_layer"), fields) + call("pad");
  }

  std::string lower(const QTable& table) {
    network_.kernels.insert("look_up");
    title_ = table.function;
    const auto levels = constant({"", "", table.levels, {}}, "levels", "for -128 .. 127");
    return fmt::format("  {}({}, {}, input, output);\n", prefixed("look_up"), element_count(output().shape),
                       levels);
  }

  std::string lower(const QConcat& concat) {
    network_.kernels.insert("concat");
    title_ = fmt::format("concatenation along axis {}", concat.axis);
    const auto& shape = output().shape;
    const auto axis = static_cast<std::size_t>(concat.axis);
    const auto blocks = element_count({shape.begin(), shape.begin() + concat.axis});
    const auto stride = element_count(shape) / blocks;
    std::string body;
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < node_->inputs.size(); ++i) {
      const auto block = stride / shape[axis] * value(i).shape[axis];
      body += fmt::format("  {}({}, {}, {}, input{}, output + {});\n", prefixed("copy_blocks"), blocks, block,
                          stride, i ? std::to_string(i) : "", offset);
      offset += block;
    }
    return body;
  }

  /// Axes of one element dropped and axes that stay neighbors merged, so that four loops are enough.
  std::string lower(const QTranspose& transpose) {
    const auto& from = value(0).shape;
    std::vector<std::int64_t> strides(from.size(), 1), extents_out, strides_out;
    for (std::size_t axis = from.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * from[axis];
    for (const auto axis : transpose.order) {
      const auto extent = from[static_cast<std::size_t>(axis)],
                 stride = strides[static_cast<std::size_t>(axis)];
      if (extent == 1) continue;
      if (!extents_out.empty() && strides_out.back() == stride * extent) {
        extents_out.back() *= extent;
        strides_out.back() = stride;
      } else {
        extents_out.push_back(extent);
        strides_out.push_back(stride);
      }
    }
    title_ = fmt::format("axes reordered to ({})", fmt::join(transpose.order, ", "));
    if (moves_nothing(graph_, *node_)) return copy();
    if (extents_out.size() > 4)
      refuse(fmt::format("a transpose of {} independent axes", extents_out.size()), "at most 4");
    network_.kernels.insert("transpose");
    extents_out.insert(extents_out.begin(), 4 - extents_out.size(), 1);
    strides_out.insert(strides_out.begin(), 4 - strides_out.size(), 0);
    return settings(prefixed("transpose_layer"),
                    {{"extents", fmt::format("{{{}}}", fmt::join(extents_out, ", "))},
                     {"strides", fmt::format("{{{}}}", fmt::join(strides_out, ", "))}}) +
           call("transpose");
  }

  std::string lower(const QReshape&) {
    title_ = "reshape";
    return copy();
  }

  /// From the caller's input to the caller's output, the one case in which such a layer must do something.
  std::string copy() const {
    return fmt::format("  memcpy(output, input, {});\n", element_count(output().shape));
  }

  std::string lower(const QSoftmax& softmax) {
    network_.kernels.insert("softmax");
    const auto width = output().shape.back();
    title_ = fmt::format("softmax over {}", width);
    const auto fields = number_fields({{"rows", element_count(output().shape) / width},
                                       {"width", width},
                                       {"multiplier", softmax.input.multiplier},
                                       {"shift", softmax.input.shift},
                                       {"lowest_difference", softmax.diff_min}});
    return settings(prefixed("softmax_layer"), fields) + call("softmax");
  }

  std::string lower(const QRequantize& op) {
    network_.kernels.insert("requantize_layer");
    title_ = "another scale" + clamp_note(op.clamp_min, op.clamp_max);
    const auto fields = number_fields({{"count", element_count(output().shape)},
                                       {"input_zero_point", value(0).zero_point},
                                       {"output_zero_point", output().zero_point},
                                       {"multiplier", op.requantization.multiplier},
                                       {"shift", op.requantization.shift},
                                       {"lowest", op.clamp_min},
                                       {"highest", op.clamp_max}});
    return settings(prefixed("requantize_layer"), fields) + call("requantize");
  }

  CNetwork& network_;
  const QuantizedGraph& graph_;  ///< with the shapes that the functions see
  CForm form_;
  const QNode* node_ = nullptr;
  std::string position_;  ///< of the node, from "01"
  std::string title_;     ///< set by lower()
};

}  // namespace

std::int64_t CNetwork::constant_bytes() const {
  std::int64_t total = 0;
  for (const auto& constant : constants) total += constant.byte_count();
  return total;
}

CLayer lowered_layer(CNetwork& network, const QuantizedGraph& sized, std::size_t position, CForm form) {
  return Lowering(network, sized, form).run(position);
}

void check_sizes(const CNetwork& network) {
  const auto refuse_above = [](std::int64_t bytes, const std::string& what) {
    if (bytes > kMostBytes)
      throw Error(ErrorKind::input,
                  {"C export", fmt::format("{} bytes of {}", bytes, what), "at most 2^30", ""});
  };
  refuse_above(network.storage.arena_bytes, "arena");
  refuse_above(network.constant_bytes(), "constants");
}

CNetwork lowered(const ExportRequest& request) {
  CNetwork network{request, c_identifier(request.name), assign_storage(request.graph), {}, {}, {}};
  for (std::size_t i = 0; i < request.graph.nodes.size(); ++i)
    network.layers.push_back(lowered_layer(network, request.graph, i, CForm::whole));
  check_sizes(network);
  return network;
}

}  // namespace compress
