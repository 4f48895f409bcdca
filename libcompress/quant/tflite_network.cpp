#include "libcompress/quant/tflite_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "libcompress/base/checked.h"
#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/import/bytes.h"
#include "libcompress/import/network_maker.h"
#include "libcompress/import/tflite.h"
#include "libcompress/import/tflite/schema.h"
#include "libcompress/quant/tables.h"

namespace compress {
namespace {

using tflite::ElementType;
using tflite::FileRecord;
using tflite::OperatorRecord;
using tflite::TensorRecord;

/// A FlatBuffer cannot be larger.
constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 31;
/// As verify() has it: window arithmetic stays far from overflow.
constexpr std::int64_t kLargestSetting = 1 << 20;
/// Of all layers together, outputs and weights. A small file may give one large tensor to many layers, and
/// each would take memory for its outputs and time for its proof that no sum overflows.
constexpr std::int64_t kMostOutputs = std::int64_t{1} << 24, kMostWeights = std::int64_t{1} << 31;

[[noreturn]] void fail(const std::string& where, std::string found, std::string allowed,
                       std::string remedy = "") {
  throw Error(ErrorKind::input, {where, std::move(found), std::move(allowed), std::move(remedy)});
}

/// Fields that the settings of every operator with a window have, and where others lie in them.
constexpr std::uint16_t kPadding = 0, kStrideW = 1, kStrideH = 2;
struct WindowFields {
  std::uint16_t activation;
  std::uint16_t dilation;  ///< its width's; the height's is behind it; 0 if there is none
};

class Reader {
 public:
  Reader(const FileRecord& file, const std::string& profile) : file_(file) {
    graph_.name = readable_name(file.name);
    if (graph_.name.empty()) graph_.name = "network";
    graph_.profile = profile;
  }

  QuantizedGraph run() {
    for (const auto index : file_.inputs) {
      if (tensor(index).type == ElementType::float32)
        float_inputs_.insert(index);
      else
        graph_.inputs.push_back(activation(index));
    }
    for (const auto& record : file_.operators) read(record);
    for (const auto index : float_inputs_)
      fail(where(tensor(index)), "a float input that no QUANTIZE reads", "INT8");
    for (const auto index : file_.outputs) {
      const auto integers = dequantized_.find(index);
      graph_.outputs.push_back(activation(integers == dequantized_.end() ? index : integers->second));
    }
    verify(graph_);
    return std::move(graph_);
  }

 private:
  using Read = void (Reader::*)();
  struct Row {
    std::string_view op;
    Read read;
    std::size_t inputs;  ///< at least
  };
  static const std::vector<Row>& rows() {
    static const std::vector<Row> all = {
        {"ADD", &Reader::add, 2},
        {"AVERAGE_POOL_2D", &Reader::pool<QAvgPool>, 1},
        {"CONCATENATION", &Reader::concat, 1},
        {"CONV_2D", &Reader::conv, 2},
        {"DEPTHWISE_CONV_2D", &Reader::depthwise_conv, 2},
        {"DEQUANTIZE", &Reader::dequantize, 1},
        {"ELU", &Reader::elu, 1},
        {"EXPAND_DIMS", &Reader::reshape, 1},
        {"FULLY_CONNECTED", &Reader::fully_connected, 2},
        {"GELU", &Reader::gelu, 1},
        {"HARD_SWISH", &Reader::hard_swish, 1},
        {"LEAKY_RELU", &Reader::leaky_relu, 1},
        {"LOGISTIC", &Reader::logistic, 1},
        {"MAXIMUM", &Reader::maximum, 2},
        {"MAX_POOL_2D", &Reader::pool<QMaxPool>, 1},
        {"MEAN", &Reader::mean, 2},
        {"MINIMUM", &Reader::minimum, 2},
        {"MUL", &Reader::mul, 2},
        {"PAD", &Reader::pad, 2},
        {"PADV2", &Reader::pad_v2, 3},
        {"QUANTIZE", &Reader::quantize, 1},
        {"RELU", &Reader::relu, 1},
        {"RELU6", &Reader::relu6, 1},
        {"RELU_0_TO_1", &Reader::relu_0_to_1, 1},
        {"RELU_N1_TO_1", &Reader::relu_n1_to_1, 1},
        {"RESHAPE", &Reader::reshape, 1},
        {"SOFTMAX", &Reader::softmax, 1},
        {"SQUEEZE", &Reader::reshape, 1},
        {"SUB", &Reader::sub, 2},
        {"TANH", &Reader::tanh, 1},
        {"TRANSPOSE", &Reader::transpose, 2},
    };
    return all;
  }

  // ---- The file

  const TensorRecord& tensor(std::int32_t index) const {
    return file_.tensors[static_cast<std::size_t>(index)];
  }
  static std::string where(const TensorRecord& record) { return "tensor " + in_quotes(record.name); }
  std::string where() const {
    return fmt::format("operator {} ({})", graph_.nodes.size() + skipped_, record_->op);
  }
  [[noreturn]] void refuse(std::string found, std::string allowed, std::string remedy = "") const {
    fail(where(), std::move(found), std::move(allowed), std::move(remedy));
  }
  bool has(std::size_t i) const { return i < record_->inputs.size() && record_->inputs[i] >= 0; }
  std::int32_t input(std::size_t i) const {
    if (!has(i)) refuse(fmt::format("no input {}", i), "one");
    return record_->inputs[i];
  }
  std::int32_t output() const { return record_->outputs[0]; }
  const tflite::Options& options() const { return record_->options; }

  void read(const OperatorRecord& record) {
    record_ = &record;
    const auto& all = rows();
    const auto row = std::find_if(all.begin(), all.end(), [&](const Row& r) { return r.op == record.op; });
    if (row == all.end()) {
      std::vector<std::string_view> names;
      for (const auto& r : all) names.push_back(r.op);
      refuse("an operator that has no 8-bit form here", fmt::format("{}", fmt::join(names, ", ")),
             "read a float file of the network and quantize that");
    }
    if (record.outputs.size() != 1 || record.outputs[0] < 0)
      refuse(fmt::format("{} outputs", record.outputs.size()), "1");
    if (record.inputs.size() < row->inputs)
      refuse(fmt::format("{} inputs", record.inputs.size()), fmt::format("{} or more", row->inputs));
    (this->*row->read)();
  }

  // ---- Values

  /// Counting on where the last of that name stopped: files may have many of one name.
  std::string unique_name(const std::string& wanted) {
    auto name = wanted;
    auto& used = used_[wanted];
    while (!names_.insert(name).second) name = fmt::format("{}.{}", wanted, ++used + 1);
    return name;
  }

  QValueId append(QValue value) {
    value.id = static_cast<QValueId>(graph_.values.size());
    value.name = unique_name(value.name);
    graph_.values.push_back(std::move(value));
    return graph_.values.back().id;
  }

  static void check_scales(const TensorRecord& record) {
    const auto& quantization = record.quantization;
    if (quantization.scales.empty())
      fail(where(record), fmt::format("{} without a scale", name_of(record.type)), "a scale",
           "convert the network with full integer quantization");
    for (const auto scale : quantization.scales) {
      if (!std::isfinite(scale) || scale <= 0)
        fail(where(record), fmt::format("a scale of {}", scale), "finite and above 0");
    }
  }

  /// Operators that the converter fused carry all their names, separated by semicolons.
  static std::string name_of_activation(const TensorRecord& record) {
    auto name = readable_name(record.name.substr(0, record.name.find(';')));
    return name.empty() ? "value" : name;
  }

  QValueId activation(std::int32_t index) {
    const auto known = activations_.find(index);
    if (known != activations_.end()) return known->second;
    const auto& record = tensor(index);
    if (record.type != ElementType::int8 && record.type != ElementType::int16)
      fail(where(record), "an activation of " + name_of(record.type), "INT8 or INT16",
           "convert the network with full integer quantization, its inputs and outputs as INT8");
    if (!record.data.empty())
      fail(where(record), "a constant where an activation belongs", "a tensor that is computed");
    if (record.is_variable) fail(where(record), "a variable", "networks without memory");
    check_scales(record);
    const auto& [scales, zero_points, axis] = record.quantization;
    if (scales.size() != 1 || zero_points.size() > 1)
      fail(where(record), fmt::format("an activation with {} scales", scales.size()), "1",
           "only the weights of convolutions and fully connected layers have a scale for each channel");
    const auto zero = zero_points.empty() ? 0 : zero_points[0];
    if (zero < -128 || zero > 127) fail(where(record), fmt::format("zero point {}", zero), "-128 to 127");
    QValue made;
    made.name = name_of_activation(record);
    made.dtype = record.type == ElementType::int16 ? DType::int16 : DType::int8;
    made.shape = record.shape;
    made.scale = scales[0];
    made.zero_point = static_cast<std::int32_t>(zero);
    return activations_[index] = append(std::move(made));
  }

  /// The constant in input `i`, with the bytes that its shape asks for.
  const TensorRecord& constant(std::size_t i, ElementType type, std::size_t size) const {
    const auto& record = tensor(input(i));
    if (record.type != type)
      fail(where(record), name_of(record.type) + " for input " + std::to_string(i), name_of(type));
    if (record.is_sparse) fail(where(record), "sparse data", "dense data");
    const auto bytes =
        checked_mul(checked_product(record.shape, where(record)), std::int64_t(size), where(record));
    if (record.data.empty() || static_cast<std::uint64_t>(bytes) != record.data.size())
      fail(where(record),
           fmt::format("{} bytes for shape {} of {}", record.data.size(), to_string(record.shape),
                       name_of(type)),
           fmt::format("{}", bytes));
    return record;
  }

  static Tensor tensor_of(const TensorRecord& record, DType type, Shape shape) {
    Tensor result(type, std::move(shape));
    std::memcpy(result.bytes().data(), record.data.data(), record.data.size());
    return result;
  }

  std::vector<std::int32_t> integers(std::size_t i) const {
    const auto& record = constant(i, ElementType::int32, sizeof(std::int32_t));
    std::vector<std::int32_t> result(record.data.size() / sizeof(std::int32_t));
    std::memcpy(result.data(), record.data.data(), record.data.size());
    return result;
  }

  // ---- Nodes

  const QValue& value(QValueId id) const { return graph_.value(id); }

  void emit(QOp op, std::vector<QValueId> inputs, QValueId output) {
    graph_.nodes.push_back({value(output).name, std::move(op), std::move(inputs), output});
  }

  QValueId make_output() { return activation(output()); }

  template <typename Op>
  void set_clamp(Op& op, const QValue& output, std::int64_t activation) const {
    constexpr std::int64_t kNone = 0, kRelu = 1, kReluN1To1 = 2, kRelu6 = 3;
    if (activation < kNone || activation > kRelu6)
      refuse(fmt::format("fused activation {}", activation), "NONE, RELU, RELU_N1_TO_1, RELU6");
    limit(op, output, -kUnlimited, kUnlimited);
    if (activation == kRelu) limit(op, output, 0, kUnlimited);
    if (activation == kReluN1To1) limit(op, output, -1, 1);
    if (activation == kRelu6) limit(op, output, 0, 6);
  }

  static constexpr float kUnlimited = std::numeric_limits<float>::infinity();
  template <typename Op>
  static void limit(Op& op, const QValue& output, float low, float high) {
    op.clamp_min = clamp_level(output, low);
    op.clamp_max = clamp_level(output, high);
  }

  std::int32_t setting(std::int64_t number, const char* what) const {
    if (number < 1 || number > kLargestSetting)
      refuse(fmt::format("a {} of {}", what, number), fmt::format("1 to {}", kLargestSetting));
    return static_cast<std::int32_t>(number);
  }

  /// SAME puts the smaller half of what it needs before the image.
  Window window(const Shape& image, std::array<std::int64_t, 2> kernel, std::uint16_t dilation) const {
    if (image.size() != 4) refuse("input of shape " + to_string(image), "[1, height, width, channels]");
    const auto padding = options().byte(kPadding);
    if (padding != 0 && padding != 1) refuse(fmt::format("padding {}", padding), "SAME, VALID");
    const std::uint16_t strides[] = {kStrideH, kStrideW};
    const std::uint16_t dilations[] = {static_cast<std::uint16_t>(dilation + 1), dilation};
    Window w;
    for (std::size_t i = 0; i < 2; ++i) {
      w.kernel[i] = setting(kernel[i], "kernel");
      w.stride[i] = setting(options().integer(strides[i]), "stride");
      w.dilation[i] = dilation == 0 ? 1 : setting(options().integer(dilations[i], 1), "dilation");
      if (padding != 0) continue;
      const auto extent = image[i + 1];
      const auto outputs = extent / w.stride[i] + (extent % w.stride[i] != 0);
      const auto span = (w.kernel[i] - std::int64_t{1}) * w.dilation[i] + 1;
      const auto needed = std::max<std::int64_t>((outputs - 1) * w.stride[i] + span - extent, 0);
      if (needed > kLargestSetting) refuse(fmt::format("a padding of {}", needed), "2^20 at most");
      w.pad_begin[i] = static_cast<std::int32_t>(needed / 2);
      w.pad_end[i] = static_cast<std::int32_t>(needed - needed / 2);
    }
    return w;
  }

  /// [1, height, width, outputs] as [outputs, height, width, 1].
  static Tensor channels_first(const Tensor& from) {
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

  /// The scales of weights with the outputs along `axis`: one, or one an output.
  std::vector<float> weight_scales(const TensorRecord& record, std::size_t axis) const {
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

  /// What a weight becomes depends on the operator.
  enum class Form { conv, depthwise, linear };

  /// Input 1.
  QValueId weight(Form form, const std::string& node) {
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

  /// Input 2, or zeros. Its scales are those of the products that it is added to; a file that says otherwise
  /// means another network than LiteRT runs. Behind 16 bits it has 64: LiteRT adds others up wrong.
  QValueId bias(const QValue& input, const QValue& weight, const std::string& node) {
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

  /// Before the bias and the factors of a layer are made.
  void charge(const Shape& weights) {
    outputs_ += weights[0];
    weighed_ += element_count(weights);
    if (outputs_ > kMostOutputs || weighed_ > kMostWeights)
      refuse("more outputs or weights than all layers may have",
             fmt::format("{} outputs, {} weights", kMostOutputs, kMostWeights));
  }

  template <typename Op>
  void emit_weighted(Op op, Form form, QValueId x, std::uint16_t activation) {
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

  void convolution(Form form, const WindowFields& fields) {
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
  void conv() { convolution(Form::conv, {.activation = 3, .dilation = 4}); }
  void depthwise_conv() { convolution(Form::depthwise, {.activation = 4, .dilation = 5}); }

  /// Without keep_num_dims all axes but the features become one.
  void fully_connected() {
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
    if (!keeps && (shape.size() != 2 || shape[1] != features))
      x = rows_of(x, {elements / features, features});
    emit_weighted(QLinear{}, Form::linear, x, kActivation);
  }

  QValueId rows_of(QValueId x, Shape shape) {
    auto rows = value(x);
    rows.name += ".rows";
    rows.shape = std::move(shape);
    const auto id = append(std::move(rows));
    emit(QReshape{}, {x}, id);
    return id;
  }

  template <typename Op>
  void pool() {
    constexpr std::uint16_t kWidth = 3, kHeight = 4, kActivation = 5;
    const auto x = activation(input(0)), y = make_output();
    Op op;
    op.window = window(value(x).shape, {options().integer(kHeight), options().integer(kWidth)}, 0);
    set_clamp(op, value(y), options().byte(kActivation));
    emit(std::move(op), {x}, y);
  }

  static Shape aligned(const Shape& shape, std::size_t rank) {
    Shape result(rank - std::min(rank, shape.size()), 1);
    result.insert(result.end(), shape.begin(), shape.end());
    return result;
  }

  /// Input `i` as an operand of a value with `rank` axes: an activation, or a constant of one scale.
  QValueId operand(std::size_t i, std::size_t rank) {
    if (!is_constant(i)) {
      const auto x = activation(input(i));
      return value(x).shape.size() < rank ? rows_of(x, aligned(value(x).shape, rank)) : x;
    }
    const auto& record = constant(i, ElementType::int8, 1);
    check_scales(record);
    const auto& [scales, zeros, axis] = record.quantization;
    const auto zero = zeros.empty() ? 0 : zeros[0];
    if (scales.size() != 1 || zero < -128 || zero > 127)
      fail(where(record), fmt::format("{} scales and zero point {}", scales.size(), zero),
           "1, and -128 to 127");
    const auto shape = aligned(record.shape, rank);
    QValue made{.name = name_of_activation(record), .shape = shape, .scale = scales[0]};
    made.zero_point = static_cast<std::int32_t>(zero);
    made.constant = tensor_of(record, DType::int8, shape);
    return append(std::move(made));
  }

  struct Operands {
    QValueId left, right, output;
  };
  Operands operands() {
    const auto y = make_output();
    const auto rank = value(y).shape.size();
    const auto left = operand(0, rank);
    return {left, operand(1, rank), y};
  }

  void sum(bool subtract) {
    const auto [left, right, y] = operands();
    check_add(value(y), {left, right});
    auto op = add_for(value(left), value(right), value(y));
    op.subtract = subtract;
    set_clamp(op, value(y), options().byte(0));
    emit(op, {left, right}, y);
  }
  void add() { sum(false); }
  void sub() { sum(true); }

  void mul() {
    const auto [left, right, y] = operands();
    auto op = mul_for(value(left), value(right), value(y), graph_.profile);
    set_clamp(op, value(y), options().byte(0));
    emit(op, {left, right}, y);
  }

  void table(const std::string& function, float parameter = 0) {
    const auto x = activation(input(0)), y = make_output();
    auto levels = table_for(function, parameter, value(x), value(y), graph_.profile);
    emit(QTable{function, parameter, std::move(levels)}, {x}, y);
  }
  void logistic() { table("sigmoid"); }
  void tanh() { table("tanh"); }
  void hard_swish() { table("hard_swish"); }
  void elu() { table("elu"); }
  void gelu() { table(options().boolean(0) ? "gelu_tanh" : "gelu"); }
  void leaky_relu() { table("leaky_relu", static_cast<float>(options().number(0))); }

  void mean() {
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

  void pad() { emit_pad(static_cast<std::int32_t>(tensor_zero_point())); }
  void pad_v2() {
    const auto& record = constant(2, ElementType::int8, 1);
    if (record.data.size() != 1) refuse("a padding of several numbers", "one");
    emit_pad(static_cast<std::int8_t>(record.data[0]));
  }
  std::int32_t tensor_zero_point() { return value(activation(input(0))).zero_point; }

  void emit_pad(std::int32_t level) {
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

  /// For 16 bits TensorFlow Lite has a second sum, of scales that are powers of 2.
  void check_add(const QValue& output, std::array<QValueId, 2> inputs) const {
    constexpr std::uint16_t kPowersOfTwo = 1;
    if (output.dtype != DType::int16 || options().byte(kPowersOfTwo, 1) == 0) return;
    int mantissas = 0;
    for (const auto scale : {value(inputs[0]).scale, value(inputs[1]).scale, output.scale}) {
      int exponent = 0;
      mantissas += std::frexp(scale, &exponent) == 0.5f;
    }
    if (mantissas == 3) refuse("a sum of 16 bits by powers of 2", "pot_scale_int16 false, or other scales");
  }

  void concat() {
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

  void transpose() {
    const auto x = activation(input(0));
    auto order = integers(1);
    const auto rank = static_cast<std::int32_t>(value(x).shape.size());
    for (auto& axis : order) {
      if (axis < -rank || axis >= rank) refuse(fmt::format("axis {}", axis), fmt::format("below {}", rank));
      if (axis < 0) axis += rank;
    }
    emit(QTranspose{std::move(order)}, {x}, make_output());
  }

  /// To the shape that the file declares for the output.
  void reshape() {
    const auto x = activation(input(0));
    emit(QReshape{}, {x}, make_output());
  }

  void softmax() {
    const auto beta = options().number(0, 0);
    if (beta != 1) refuse(fmt::format("beta {}", beta), "1");
    const auto x = activation(input(0));
    emit(softmax_for(value(x)), {x}, make_output());
  }

  /// Of a float input of the network: the network begins behind it.
  void quantize() {
    if (float_inputs_.erase(input(0)) > 0) {
      graph_.inputs.push_back(activation(output()));
      ++skipped_;
      return;
    }
    const auto x = activation(input(0)), y = make_output();
    QRequantize op;
    op.requantization =
        to_requantization(static_cast<double>(value(x).scale) / static_cast<double>(value(y).scale));
    limit(op, value(y), -kUnlimited, kUnlimited);
    emit(op, {x}, y);
  }

  /// An activation by itself. TensorFlow Lite divides the scales as floats; its version for microcontrollers
  /// leaves out the other scale of all but RELU.
  void clamp(float low, float high) {
    const auto x = activation(input(0)), y = make_output();
    const auto &from = value(x), &to = value(y);
    const bool same = from.scale == to.scale && from.zero_point == to.zero_point;
    if (graph_.profile == "tflite-micro" && high != kUnlimited && !same)
      refuse("another scale behind the activation", "one scale in the profile tflite-micro");
    QRequantize op;
    op.requantization = to_requantization(static_cast<double>(from.scale / to.scale));
    limit(op, to, low, high);
    emit(op, {x}, y);
  }
  void relu() { clamp(0, kUnlimited); }
  void relu6() { clamp(0, 6); }
  void relu_0_to_1() { clamp(0, 1); }
  void relu_n1_to_1() { clamp(-1, 1); }

  /// With a number: a clamp of the levels. Both sides have one scale.
  void bound(std::int32_t QRequantize::* end) {
    const std::size_t number = is_constant(0) ? 0 : 1;
    const auto x = activation(input(1 - number)), y = make_output();
    QRequantize op;
    op.requantization = to_requantization(1);
    limit(op, value(y), -kUnlimited, kUnlimited);
    op.*end = one_level(number, value(y).dtype);
    emit(op, {x}, y);
  }
  void maximum() { bound(&QRequantize::clamp_min); }
  void minimum() { bound(&QRequantize::clamp_max); }
  /// The constant of one element in input `i`.
  std::int32_t one_level(std::size_t i, DType dtype) const {
    const bool wide = dtype == DType::int16;
    const auto& record = constant(i, wide ? ElementType::int16 : ElementType::int8, size_of(dtype));
    if (element_count(record.shape) != 1)
      refuse("an operand of shape " + to_string(record.shape), "a constant of one element");
    if (!wide) return static_cast<std::int8_t>(record.data[0]);
    std::int16_t level = 0;
    std::memcpy(&level, record.data.data(), sizeof level);
    return level;
  }
  bool is_constant(std::size_t i) const { return !tensor(input(i)).data.empty(); }

  /// Before a float output of the network: the network ends before it.
  void dequantize() {
    if (std::find(file_.outputs.begin(), file_.outputs.end(), output()) == file_.outputs.end())
      refuse("floats inside the network", "one before an output");
    activation(input(0));
    dequantized_[output()] = input(0);
    ++skipped_;
  }

  const FileRecord& file_;
  QuantizedGraph graph_;
  const OperatorRecord* record_ = nullptr;
  std::size_t skipped_ = 0;  ///< operators that made no node
  std::set<std::string> names_;
  std::map<std::string, std::size_t> used_;                    ///< how often a name was wanted again
  std::int64_t outputs_ = 0, weighed_ = 0;                     ///< charged
  std::map<std::int32_t, QValueId> activations_;               ///< by tensor
  std::map<std::pair<std::int32_t, Form>, QValueId> weights_;  ///< by tensor
  std::set<std::int32_t> float_inputs_;                        ///< tensors not yet quantized
  std::map<std::int32_t, std::int32_t> dequantized_;           ///< float tensor to its integers
};

}  // namespace

QuantizedGraph read_quantized_tflite(const std::filesystem::path& path, const std::string& profile) {
  return parse_quantized_tflite(read_bytes(path, kLargestFile), path.string(), profile);
}

QuantizedGraph parse_quantized_tflite(std::span<const std::byte> bytes, const std::string& name,
                                      const std::string& profile) {
  const auto copy = tflite::aligned_copy(bytes);
  const auto file = tflite::parse_file(copy.empty() ? bytes : std::span(copy), name);
  try {
    return Reader(file, profile).run();
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with(name)) throw;
    throw Error(error.kind(), fmt::format("{}: {}", name, error.what()));
  }
}

bool is_quantized_tflite(std::span<const std::byte> bytes, const std::string& name) {
  if (!is_tflite(bytes)) return false;
  const auto copy = tflite::aligned_copy(bytes);
  const auto file = tflite::parse_file(copy.empty() ? bytes : std::span(copy), name);
  return tflite::quantized_tensor(file) != nullptr;
}

}  // namespace compress
