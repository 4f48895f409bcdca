#include "libcompress/export/onnx_qdq.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <span>

#include "libcompress/base/error.h"
#include "libcompress/export/onnx/lowering.h"

namespace compress {
namespace {

using namespace onnx_export;

struct Version {
  std::int64_t operator_set, ir;  ///< the IR is the one that came with the operator set
};
constexpr Version kOf8Bits{13, 7}, kOf16Bits{21, 10};
constexpr std::int64_t kAxesBecomeAnInput = 18;  // of ReduceMean

/// The oldest that knows every width in the graph.
Version version_for(const QuantizedGraph& graph) {
  const bool wide =
      std::ranges::any_of(graph.values, [](const QValue& value) { return value.dtype == DType::int16; });
  return wide ? kOf16Bits : kOf8Bits;
}

const std::vector<std::int32_t> kToChannelsFirst = {0, 3, 1, 2};
const std::vector<std::int32_t> kToChannelsLast = {0, 2, 3, 1};

bool is_image(const Shape& shape) { return shape.size() == 4; }

/// Whether an image's elements lie in the same order in NHWC and in NCHW.
bool is_same_in_both(const Shape& shape) { return shape[3] == 1 || shape[1] * shape[2] == 1; }

/// A shape of the 8-bit network as the file has it.
Shape in_file(const Shape& shape) {
  return is_image(shape) ? Shape{shape[0], shape[3], shape[1], shape[2]} : shape;
}

/// The position of an axis of an image in the file.
std::int32_t axis_in_file(std::int32_t axis, std::size_t rank) {
  return rank == 4 ? kToChannelsLast[static_cast<std::size_t>(axis)] : axis;
}

/// [n, h, w, c] as [n, c, h, w].
Tensor channels_first(const Tensor& from) {
  const auto& shape = from.shape();
  Tensor result(from.dtype(), in_file(shape));
  const auto source = from.as<std::int8_t>();
  const auto to = result.as<std::int8_t>();
  const auto cells = static_cast<std::size_t>(shape[1] * shape[2]),
             channels = static_cast<std::size_t>(shape[3]);
  for (std::size_t i = 0; i < source.size(); ++i) {
    const auto n = i / (cells * channels), cell = i / channels % cells, channel = i % channels;
    to[(n * channels + channel) * cells + cell] = source[i];
  }
  return result;
}

/// `from` with the same bytes under another shape.
Tensor reshaped(const Tensor& from, Shape shape) {
  Tensor result(from.dtype(), std::move(shape));
  std::copy(from.bytes().begin(), from.bytes().end(), result.bytes().begin());
  return result;
}

Tensor integers_of(const Integers& values) {
  Tensor tensor(DType::int64, {static_cast<std::int64_t>(values.size())});
  std::copy(values.begin(), values.end(), tensor.as<std::int64_t>().begin());
  return tensor;
}

/// The smallest and largest level of a node's result.
struct Clamp {
  std::int32_t low = std::numeric_limits<std::int32_t>::min(),
               high = std::numeric_limits<std::int32_t>::max();
};

/// `level` in every element, as int8 or int16.
Tensor levels(DType dtype, const Shape& shape, std::int32_t level) {
  Tensor tensor(dtype, shape);
  const auto fill = [&]<typename Level>(std::span<Level> to) {
    std::ranges::fill(to, static_cast<Level>(level));
  };
  if (dtype == DType::int16)
    fill(tensor.as<std::int16_t>());
  else
    fill(tensor.as<std::int8_t>());
  return tensor;
}

/// The real numbers of a bias of 64 bits, one an output channel.
Tensor real_numbers(const QValue& bias) {
  std::vector<float> numbers;
  for (const auto each : bias.constant.as<std::int64_t>()) {
    const auto scale = bias.channel_scales.empty() ? bias.scale : bias.channel_scales[numbers.size()];
    numbers.push_back(static_cast<float>(static_cast<double>(scale) * static_cast<double>(each)));
  }
  return Tensor::of(bias.shape, numbers);
}

AttributeList window_attributes(const Window& window) {
  const auto pair = [](const std::int32_t (&values)[2]) { return Integers{values[0], values[1]}; };
  return {{"kernel_shape", pair(window.kernel)},
          {"strides", pair(window.stride)},
          {"pads", Integers{window.pad_begin[0], window.pad_begin[1], window.pad_end[0], window.pad_end[1]}}};
}

AttributeList dilated_attributes(const Window& window) {
  auto attributes = window_attributes(window);
  attributes.emplace_back("dilations", Integers{window.dilation[0], window.dilation[1]});
  return attributes;
}

/// Whether nothing in the graph but the inputs' first axis says how many examples there are.
bool is_batch_free(const QuantizedGraph& graph) {
  const auto keeps = [&](const QNode& node) {
    if (const auto* transpose = std::get_if<QTranspose>(&node.op)) return transpose->order.front() == 0;
    if (const auto* concat = std::get_if<QConcat>(&node.op)) return concat->axis != 0;
    return true;
  };
  return std::all_of(graph.nodes.begin(), graph.nodes.end(), keeps) &&
         std::all_of(graph.values.begin(), graph.values.end(), [](const QValue& value) {
           return !value.constant.empty() || (value.shape.size() > 1 && value.shape.front() == 1);
         });
}

class Writer {
 public:
  explicit Writer(const QuantizedGraph& graph)
      : graph_(graph),
        version_(version_for(graph)),
        batch_free_(is_batch_free(graph)),
        stored_(graph.values.size()) {
    for (const auto& value : graph_.values) {
      if (value.constant.empty()) parts_.names.insert(value.name);
    }
  }

  Message model() { return model_proto(graph_proto(), version_.ir, version_.operator_set); }

 private:
  Message graph_proto() {
    for (const auto id : graph_.inputs) write_input(id);
    for (const auto& node : graph_.nodes) {
      node_ = &node;
      std::visit([&](const auto& op) { write(op); }, node.op);
    }
    for (const auto id : graph_.outputs) write_output(id);
    Message message;
    for (const auto& each : parts_.nodes) message.message(field::node, each);
    message.text(field::graph_name, graph_.name.empty() ? "network" : graph_.name);
    for (const auto& each : parts_.initializers) message.message(field::initializer, each);
    for (const auto& each : inputs_) message.message(field::input, each);
    for (const auto& each : outputs_) message.message(field::output, each);
    for (const auto& each : parts_.declarations) message.message(field::value_info, each);
    return message;
  }

  const QValue& input(std::size_t i) const { return graph_.value(node_->inputs[i]); }
  const QValue& output() const { return graph_.value(node_->output); }

  bool is_output(QValueId id) const {
    return std::find(graph_.outputs.begin(), graph_.outputs.end(), id) != graph_.outputs.end();
  }

  // ---- The file's parts

  std::string constant(const std::string& wanted, const Tensor& tensor) {
    const auto name = parts_.fresh_name(wanted);
    parts_.initializers.push_back(tensor_proto(name, tensor));
    return name;
  }

  void add(const std::string& op, const std::vector<std::string>& inputs, const std::string& output,
           const AttributeList& attributes = {}) {
    parts_.nodes.push_back(node_proto(op, output + "." + op, inputs, output, attributes));
  }

  Message declared(const std::string& name, const QValue& value, DType dtype = DType::float32) const {
    ValueInfo info{in_file(value.shape), batch_free_ ? 0 : -1, dtype};
    return declaration(name, info, 1);
  }

  /// What lies on an edge between the nodes; it has the shape of `value`.
  void declare(const std::string& name, const QValue& value, DType dtype = DType::float32) {
    parts_.declarations.push_back(declared(name, value, dtype));
  }

  Integers shape_in_file(const Shape& shape) const {
    Integers target = in_file(shape);
    if (batch_free_) target.front() = -1;
    return target;
  }

  /// Names of a scale, or of one a channel, and of its zero point.
  struct Quantizer {
    std::string scale, zero_point;
  };

  const Quantizer& quantizer(QValueId id) {
    auto& found = quantizers_[id];
    if (!found.scale.empty()) return found;
    const QValue& value = graph_.value(id);
    found.scale = constant(
        value.name + ".scale",
        value.channel_scales.empty()
            ? Tensor::of({}, std::vector{value.scale})
            : Tensor::of({static_cast<std::int64_t>(value.channel_scales.size())}, value.channel_scales));
    if (value.dtype == DType::int32) return found;  // has none: it is 0
    const auto channels = static_cast<std::int64_t>(value.channel_scales.size());
    found.zero_point = constant(value.name + ".zero_point",
                                levels(value.dtype, channels ? Shape{channels} : Shape{}, value.zero_point));
    return found;
  }

  void quantize(const std::string& real, QValueId id, const std::string& stored) {
    const auto& by = quantizer(id);
    add("QuantizeLinear", {real, by.scale, by.zero_point}, stored);
    declare(stored, graph_.value(id), graph_.value(id).dtype);
  }

  void dequantize(const std::string& stored, QValueId id, const std::string& real) {
    const auto& by = quantizer(id);
    std::vector<std::string> inputs = {stored, by.scale};
    if (!by.zero_point.empty()) inputs.push_back(by.zero_point);
    AttributeList attributes;
    if (!graph_.value(id).channel_scales.empty()) attributes = {{"axis", std::int64_t{0}}};
    add("DequantizeLinear", inputs, real, attributes);
  }

  std::string dequantized(const std::string& stored, QValueId id) {
    const auto real = parts_.fresh_name(graph_.value(id).name + ".real");
    dequantize(stored, id, real);
    if (graph_.value(id).constant.empty()) declare(real, graph_.value(id));
    return real;
  }

  /// One dequantization a value, as ONNX Runtime's own quantizer has it.
  const std::string& real(std::size_t i) {
    const auto id = node_->inputs[i];
    auto& found = real_[id];
    if (found.empty()) found = dequantized(stored_[index_of(id)], id);
    return found;
  }

  /// DequantizeLinear does not read int64.
  std::string real_constant(std::size_t i, const Tensor& tensor) {
    if (tensor.dtype() == DType::int64) return constant(input(i).name, real_numbers(input(i)));
    return dequantized(constant(input(i).name, tensor), node_->inputs[i]);
  }

  void write_input(QValueId id) {
    const QValue& value = graph_.value(id);
    stored_[index_of(id)] = parts_.fresh_name(value.name + ".quantized");
    quantize(value.name, id, stored_[index_of(id)]);
    inputs_.push_back(declared(value.name, value));
  }

  void write_output(QValueId id) {
    const QValue& value = graph_.value(id);
    dequantize(stored_[index_of(id)], id, value.name);
    outputs_.push_back(declared(value.name, value));
  }

  // ---- Nodes

  /// The clamps that saturation does not do already.
  std::string clamped(const std::string& real, const Clamp& clamp) {
    const auto& by = output();
    const auto ends = levels_of(by.dtype);
    const bool low = clamp.low > ends.lowest, high = clamp.high < ends.highest;
    if (!low && !high) return real;
    const auto name = parts_.fresh_name(node_->name + ".clamped");
    declare(name, by);
    if (low && !high && clamp.low == by.zero_point) {
      add("Relu", {real}, name);
      return name;
    }
    const auto bound = [&](const char* what, std::int32_t level) {
      const float number = by.scale * static_cast<float>(level - by.zero_point);
      return constant(node_->name + what, Tensor::of({}, std::vector{number}));
    };
    std::vector<std::string> inputs = {real, low ? bound(".low", clamp.low) : ""};
    if (high) inputs.push_back(bound(".high", clamp.high));
    add("Clip", inputs, name);
    return name;
  }

  void finish_real(const std::string& real, const Clamp& clamp = {}) {
    auto& stored = stored_[index_of(node_->output)];
    stored = is_output(node_->output) ? parts_.fresh_name(output().name + ".quantized") : output().name;
    quantize(clamped(real, clamp), node_->output, stored);
  }

  void finish(const std::string& op, const std::vector<std::string>& inputs,
              const AttributeList& attributes = {}, const Clamp& clamp = {}) {
    const auto result = parts_.fresh_name(node_->name + ".result");
    parts_.nodes.push_back(node_proto(op, node_->name, inputs, result, attributes));
    declare(result, output());
    finish_real(result, clamp);
  }

  std::string transposed(const std::string& real, const std::vector<std::int32_t>& order) {
    const auto name = parts_.fresh_name(node_->name + ".transposed");
    add("Transpose", {real}, name, {{"perm", Integers(order.begin(), order.end())}});
    return name;
  }

  std::string reshaped_to(const std::string& real, const Integers& target) {
    const auto name = parts_.fresh_name(node_->name + ".reshaped");
    add("Reshape", {real, constant(node_->name + ".shape", integers_of(target))}, name);
    return name;
  }

  void write(const QConv& conv) {
    auto attributes = dilated_attributes(conv.window);
    attributes.emplace_back("group", std::int64_t{conv.groups});
    finish(
        "Conv",
        {real(0), real_constant(1, channels_first(input(1).constant)), real_constant(2, input(2).constant)},
        attributes, {conv.clamp_min, conv.clamp_max});
  }

  void write(const QLinear& linear) {
    const Clamp clamp{linear.clamp_min, linear.clamp_max};
    const auto& weights = input(1).constant;
    const auto outputs = weights.shape()[0], features = weights.shape()[1];
    if (is_image(input(0).shape)) {  // at every position alike: a convolution of one tap
      const auto kernel = real_constant(1, reshaped(weights, {outputs, features, 1, 1}));
      return finish("Conv", {real(0), kernel, real_constant(2, input(2).constant)}, {}, clamp);
    }
    const bool flat = input(0).shape.size() == 2;
    const auto rows = flat ? real(0) : reshaped_to(real(0), {-1, features});
    const auto result = parts_.fresh_name(node_->name + ".result");
    parts_.nodes.push_back(node_proto(
        "Gemm", node_->name,
        std::vector{rows, real_constant(1, columns_in_file(weights)), real_constant(2, input(2).constant)},
        result, {{"transB", std::int64_t{1}}}));
    if (flat) declare(result, output());
    finish_real(flat ? result : reshaped_to(result, shape_in_file(output().shape)), clamp);
  }

  /// Weights behind an image that was flattened in the order of the file.
  Tensor columns_in_file(const Tensor& weights) const {
    const auto image = flattened_.find(node_->inputs[0]);
    if (image == flattened_.end()) return weights;
    const auto& shape = image->second;
    return reshaped(channels_first(reshaped(weights, {weights.shape()[0], shape[1], shape[2], shape[3]})),
                    weights.shape());
  }

  void write(const QMaxPool& pool) {
    finish("MaxPool", {real(0)}, dilated_attributes(pool.window), {pool.clamp_min, pool.clamp_max});
  }

  void write(const QAvgPool& pool) {
    finish("AveragePool", {real(0)}, window_attributes(pool.window), {pool.clamp_min, pool.clamp_max});
  }

  /// An activation, or a constant.
  std::string operand(std::size_t i) {
    const auto& value = input(i);
    if (value.constant.empty()) return real(i);
    return real_constant(i, is_image(value.shape) ? channels_first(value.constant) : value.constant);
  }

  void write(const QAdd& add) {
    finish(add.subtract ? "Sub" : "Add", {operand(0), operand(1)}, {}, {add.clamp_min, add.clamp_max});
  }

  void write(const QMul& mul) { finish("Mul", {operand(0), operand(1)}, {}, {mul.clamp_min, mul.clamp_max}); }

  /// What is left of an image without rows or columns has the order of NHWC.
  void write(const QMean& mean) {
    const auto rank = input(0).shape.size();
    const bool keeps = output().shape.size() == rank;
    const bool turns =
        is_image(input(0).shape) && (keeps || mean.last_axis == mean.first_axis + 1 || mean.first_axis == 3);
    const auto from = is_image(input(0).shape) && !turns ? transposed(real(0), kToChannelsLast) : real(0);
    Integers axes;
    for (auto axis = mean.first_axis; axis <= mean.last_axis; ++axis)
      axes.push_back(turns ? axis_in_file(axis, rank) : axis);
    std::sort(axes.begin(), axes.end());
    std::vector<std::string> inputs = {from};
    AttributeList attributes = {{"keepdims", std::int64_t{keeps}}};
    if (version_.operator_set < kAxesBecomeAnInput)
      attributes.emplace_back("axes", axes);
    else
      inputs.push_back(constant(node_->name + ".axes", integers_of(axes)));
    finish("ReduceMean", inputs, attributes);
  }

  void write(const QPad& pad) {
    const auto rank = pad.begin.size();
    Integers amounts(2 * rank);
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const auto at = static_cast<std::size_t>(axis_in_file(static_cast<std::int32_t>(axis), rank));
      amounts[at] = pad.begin[axis];
      amounts[rank + at] = pad.end[axis];
    }
    const float number = output().scale * static_cast<float>(pad.level - output().zero_point);
    finish("Pad", {real(0), constant(node_->name + ".padding", integers_of(amounts)),
                   constant(node_->name + ".filler", Tensor::of({}, std::vector{number}))});
  }

  void write(const QSlice& slice) {
    const auto rank = slice.begin.size();
    Integers axes, begin, end, steps;
    for (std::size_t axis = 1; axis < rank; ++axis) {
      const std::int64_t first = slice.begin[axis], step = slice.step[axis];
      const auto behind = first + output().shape[axis] * step;
      axes.push_back(axis_in_file(static_cast<std::int32_t>(axis), rank));
      begin.push_back(first);
      end.push_back(behind < 0 ? std::numeric_limits<std::int64_t>::min() : behind);
      steps.push_back(step);
    }
    finish("Slice", {real(0), constant(node_->name + ".begin", integers_of(begin)),
                     constant(node_->name + ".end", integers_of(end)),
                     constant(node_->name + ".axes", integers_of(axes)),
                     constant(node_->name + ".steps", integers_of(steps))});
  }

  /// Rows and columns by their numbers: the extents that Resize computes from float scales may be one too
  /// few.
  void write(const QResize& resize) {
    const auto &from = input(0).shape, &to = output().shape;
    const auto gathered = [&](const std::string& real, std::size_t axis) {
      const auto sources = sources_of(resize, from[axis], to[axis]);
      const auto list = constant(node_->name + ".sources", integers_of(sources));
      return std::pair{
          std::vector{real, list},
          AttributeList{{"axis", std::int64_t{axis_in_file(static_cast<std::int32_t>(axis), 4)}}}};
    };
    const auto [inputs, along_rows] = gathered(real(0), 1);
    const auto rows = parts_.fresh_name(node_->name + ".rows");
    add("Gather", inputs, rows, along_rows);
    const auto [of_rows, along_columns] = gathered(rows, 2);
    finish("Gather", of_rows, along_columns);
  }

  void write(const QTable& table) {
    const auto& f = table.function;
    if (f == "sigmoid") return finish("Sigmoid", {real(0)});
    if (f == "tanh") return finish("Tanh", {real(0)});
    if (f == "elu") return finish("Elu", {real(0)});
    if (f == "leaky_relu")
      return finish("LeakyRelu", {real(0)}, {{"alpha", static_cast<double>(table.parameter)}});
    if (f == "hard_sigmoid") return finish("HardSigmoid", {real(0)}, {{"alpha", 1.0 / 6}, {"beta", 0.5}});
    finish("Mul", {real(0), gate(f)});
  }

  /// What x is multiplied by in silu, hard_swish and the two forms of gelu.
  std::string gate(const std::string& function) {
    if (function == "silu") return applied("Sigmoid", {real(0)});
    if (function == "hard_swish")
      return applied("HardSigmoid", {real(0)}, {{"alpha", 1.0 / 6}, {"beta", 0.5}});
    if (function == "gelu") return half_of_one_and(applied("Erf", {scaled(real(0), M_SQRT1_2)}));
    const auto cube = applied("Mul", {applied("Mul", {real(0), real(0)}), scaled(real(0), 0.044715)});
    const auto sum = applied("Add", {real(0), cube});
    return half_of_one_and(applied("Tanh", {scaled(sum, M_2_SQRTPI * M_SQRT1_2)}));
  }

  std::string half_of_one_and(const std::string& real) {
    return scaled(applied("Add", {real, number(1)}), 0.5);
  }
  std::string scaled(const std::string& real, double by) { return applied("Mul", {real, number(by)}); }
  std::string number(double of) {
    return constant(node_->name + ".number", Tensor::of({}, std::vector{static_cast<float>(of)}));
  }
  std::string applied(const std::string& op, const std::vector<std::string>& inputs,
                      const AttributeList& attributes = {}) {
    const auto name = parts_.fresh_name(node_->name + "." + op);
    add(op, inputs, name, attributes);
    return name;
  }

  void write(const QConcat& concat) {
    std::vector<std::string> inputs;
    for (std::size_t i = 0; i < node_->inputs.size(); ++i) inputs.push_back(real(i));
    finish("Concat", inputs, {{"axis", std::int64_t{axis_in_file(concat.axis, output().shape.size())}}});
  }

  void write(const QTranspose& transpose) {
    if (!is_image(output().shape))
      return finish("Transpose", {real(0)},
                    {{"perm", Integers(transpose.order.begin(), transpose.order.end())}});
    Integers order;
    for (const auto axis : kToChannelsFirst)
      order.push_back(axis_in_file(transpose.order[static_cast<std::size_t>(axis)], 4));
    finish("Transpose", {real(0)}, {{"perm", order}});
  }

  void write(const QReshape&) {
    const auto& from = input(0).shape;
    const auto& to = output().shape;
    auto value = real(0);
    if (is_image(from) && !is_same_in_both(from)) {
      if (only_linear_layers_read_it())
        flattened_[node_->output] = from;
      else
        value = transposed(value, kToChannelsLast);
    }
    if (!is_image(to) || is_same_in_both(to)) return finish_real(reshaped_to(value, shape_in_file(to)));
    Integers target = to;
    if (batch_free_) target.front() = -1;
    finish_real(transposed(reshaped_to(value, target), kToChannelsFirst));
  }

  /// Whether the node flattens an image for linear layers, whose weights then bear the order of the file.
  bool only_linear_layers_read_it() const {
    const auto id = node_->output;
    if (output().shape != Shape{1, element_count(input(0).shape)}) return false;
    if (is_output(id)) return false;
    return std::all_of(graph_.nodes.begin(), graph_.nodes.end(), [&](const QNode& node) {
      const bool reads = std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
      return !reads || std::holds_alternative<QLinear>(node.op);
    });
  }

  void write(const QSoftmax&) {
    finish("Softmax", {real(0)}, {{"axis", is_image(output().shape) ? std::int64_t{1} : std::int64_t{-1}}});
  }

  void write(const QRequantize& op) { finish_real(real(0), {op.clamp_min, op.clamp_max}); }

  const QuantizedGraph& graph_;
  const Version version_;
  const bool batch_free_;
  const QNode* node_ = nullptr;
  GraphParts parts_;
  std::vector<Message> inputs_, outputs_;
  std::vector<std::string> stored_;       ///< names of the quantized values, by value
  std::map<QValueId, std::string> real_;  ///< names of what is dequantized
  std::map<QValueId, Quantizer> quantizers_;
  std::map<QValueId, Shape> flattened_;  ///< NHWC shapes of images that were flattened as NCHW
};

}  // namespace

std::string onnx_qdq_bytes(const QuantizedGraph& graph) {
  verify(graph);
  return Writer(graph).model().take();
}

ExportResult write_onnx_qdq(const ExportRequest& request) {
  ExportResult result;
  result.files[request.name + ".onnx"] = onnx_qdq_bytes(request.graph);
  result.constant_bytes = constant_bytes_of(request.graph);
  return result;
}

}  // namespace compress
