#include "libcompress/export/tflite_writer.h"

#include <flatbuffers/flatbuffers.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <span>

#include "libcompress/base/error.h"
#include "libcompress/import/tflite/schema.h"
#include "libcompress/quant/tables.h"

namespace compress {
namespace {

using flatbuffers::FlatBufferBuilder;
using TableAt = flatbuffers::Offset<flatbuffers::Table>;
using tflite::ElementType;

/// Data lies where vector instructions may load it.
constexpr std::size_t kAlignment = 16;
constexpr std::int8_t kSame = 0, kValid = 1;

constexpr flatbuffers::voffset_t field(int number) {
  return static_cast<flatbuffers::voffset_t>(4 + 2 * number);
}

/// Which member of the union BuiltinOptions an operator's settings are.
enum class Settings : std::uint8_t {
  none = 0,
  conv = 1,
  depthwise = 2,
  pool = 5,
  linear = 8,
  softmax = 9,
  concat = 10,
  add = 11,
  mul = 21,
  reducer = 27,
  sub = 28,
  leaky_relu = 75,
  gelu = 116,
};

constexpr float kUnlimited = std::numeric_limits<float>::infinity();

/// An activation as the operator that does it alone.
struct Activation {
  std::int8_t number;  ///< in the schema where it is fused; kAlone if it never is
  const char* op;
  std::int32_t version;  ///< of `op`, for int8
  float lowest, highest;
};
constexpr std::int8_t kAlone = -1;
constexpr Activation kActivations[] = {{0, "QUANTIZE", 2, -kUnlimited, kUnlimited},
                                       {1, "RELU", 2, 0, kUnlimited},
                                       {3, "RELU6", 2, 0, 6},
                                       {2, "RELU_N1_TO_1", 1, -1, 1},
                                       {kAlone, "RELU_0_TO_1", 1, 0, 1}};

bool is_same_padding(const Window& window, const Shape& image) {
  for (std::size_t i = 0; i < 2; ++i) {
    const auto extent = image[i + 1];
    const auto outputs = (extent + window.stride[i] - 1) / window.stride[i];
    const auto span = (window.kernel[i] - std::int64_t{1}) * window.dilation[i] + 1;
    const auto needed = std::max<std::int64_t>((outputs - 1) * window.stride[i] + span - extent, 0);
    if (window.pad_begin[i] != needed / 2 || window.pad_end[i] != needed - needed / 2) return false;
  }
  return true;
}

bool is_unpadded(const Window& window) {
  return window.pad_begin[0] == 0 && window.pad_begin[1] == 0 && window.pad_end[0] == 0 &&
         window.pad_end[1] == 0;
}

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

class Writer {
 public:
  explicit Writer(const QuantizedGraph& graph) : graph_(graph), tensor_of_(graph.values.size(), -1) {
    builder_.ForceDefaults(true);
    buffers_.push_back(buffer({}));  // number 0: no data
  }

  std::string run() {
    std::vector<std::int32_t> inputs{tensor(graph_.inputs[0])};
    for (const auto& node : graph_.nodes) {
      node_ = &node;
      std::visit([&](const auto& op) { write(op); }, node.op);
    }
    std::vector<std::int32_t> outputs;
    for (const auto id : graph_.outputs) outputs.push_back(tensor(id));
    builder_.Finish(model(subgraph(inputs, outputs)), "TFL3");
    return {reinterpret_cast<const char*>(builder_.GetBufferPointer()), builder_.GetSize()};
  }

 private:
  using Fill = std::function<void()>;

  [[noreturn]] void refuse(std::string found, std::string allowed, std::string remedy = "") const {
    throw Error(ErrorKind::input, {fmt::format("int8 node '{}' as TensorFlow Lite", node_->name),
                                   std::move(found), std::move(allowed), std::move(remedy)});
  }

  const QValue& input(std::size_t i) const { return graph_.value(node_->inputs[i]); }
  const QValue& output() const { return graph_.value(node_->output); }

  static bool is_wide(const QValue& value) { return value.dtype == DType::int16; }
  /// The version of an operator that first takes what the node reads and makes.
  std::int32_t version(std::int32_t of_8_bits, std::int32_t of_16_bits) const {
    return is_wide(input(0)) || is_wide(output()) ? of_16_bits : of_8_bits;
  }

  // ---- The file's tables

  TableAt table(const Fill& fill) {
    const auto start = builder_.StartTable();
    fill();
    return TableAt(builder_.EndTable(start));
  }
  template <typename T>
  void set(int number, T scalar) {
    builder_.AddElement<T>(field(number), scalar, T{});
  }
  template <typename T>
  void set(int number, flatbuffers::Offset<T> at) {
    builder_.AddOffset(field(number), at);
  }

  TableAt buffer(std::span<const std::byte> data) {
    if (data.empty()) return table([] {});
    builder_.ForceVectorAlignment(data.size(), 1, kAlignment);
    const auto at = builder_.CreateVector(reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
    return table([&] { set(0, at); });
  }

  TableAt quantization(const std::vector<float>& scales, std::int64_t zero_point, std::int32_t axis) {
    const auto scale = builder_.CreateVector(scales);
    const auto zeros = builder_.CreateVector(std::vector<std::int64_t>(scales.size(), zero_point));
    return table([&] {
      set(2, scale);
      set(3, zeros);
      set(6, axis);
    });
  }

  std::int32_t add_tensor(const std::string& name, const Shape& shape, ElementType type,
                          std::span<const std::byte> data, std::optional<TableAt> quantized) {
    std::uint32_t number = 0;
    if (!data.empty()) {
      number = static_cast<std::uint32_t>(buffers_.size());
      buffers_.push_back(buffer(data));
    }
    const auto extents = builder_.CreateVector(std::vector<std::int32_t>(shape.begin(), shape.end()));
    const auto text = builder_.CreateString(name);
    tensors_.push_back(table([&] {
      set(0, extents);
      set(1, static_cast<std::int8_t>(type));
      set(2, number);
      set(3, text);
      if (quantized) set(4, *quantized);
    }));
    return static_cast<std::int32_t>(tensors_.size()) - 1;
  }

  TableAt subgraph(const std::vector<std::int32_t>& inputs, const std::vector<std::int32_t>& outputs) {
    const auto tensors = builder_.CreateVector(tensors_);
    const auto from = builder_.CreateVector(inputs);
    const auto to = builder_.CreateVector(outputs);
    const auto operators = builder_.CreateVector(operators_);
    const auto name = builder_.CreateString(graph_.name);
    return table([&] {
      set(0, tensors);
      set(1, from);
      set(2, to);
      set(3, operators);
      set(4, name);
    });
  }

  TableAt model(TableAt graph) {
    std::vector<TableAt> codes;
    for (const auto& [name, version] : codes_) {
      const auto code = tflite::operator_code(name);
      codes.push_back(table([&, v = version] {
        set(0, static_cast<std::int8_t>(code));  // all used here are below 127
        set(2, v);
        set(3, code);
      }));
    }
    const auto operator_codes = builder_.CreateVector(codes);
    const auto graphs = builder_.CreateVector(std::vector<TableAt>{graph});
    const auto description = builder_.CreateString("libcompress");
    const auto buffers = builder_.CreateVector(buffers_);
    return table([&] {
      set(0, std::uint32_t{3});
      set(1, operator_codes);
      set(2, graphs);
      set(3, description);
      set(4, buffers);
    });
  }

  void add_operator(const std::string& name, std::int32_t version, const std::vector<std::int32_t>& inputs,
                    std::int32_t to, Settings kind = Settings::none, const Fill& settings = {}) {
    const std::pair code(name, version);
    const auto known = std::find(codes_.begin(), codes_.end(), code);
    const auto index = static_cast<std::uint32_t>(known - codes_.begin());
    if (known == codes_.end()) codes_.push_back(code);
    const auto from = builder_.CreateVector(inputs);
    const auto outputs = builder_.CreateVector(std::vector<std::int32_t>{to});
    const auto options = settings ? table(settings) : TableAt();
    operators_.push_back(table([&] {
      set(0, index);
      set(1, from);
      set(2, outputs);
      set(3, static_cast<std::uint8_t>(kind));
      if (settings) set(4, options);
    }));
  }

  // ---- Values

  static ElementType element_type(DType dtype) {
    if (dtype == DType::int16) return ElementType::int16;
    if (dtype == DType::int32) return ElementType::int32;
    return dtype == DType::int64 ? ElementType::int64 : ElementType::int8;
  }

  std::int32_t activation(const std::string& name, const Shape& shape, const QValue& like) {
    return add_tensor(name, shape, element_type(like.dtype), {},
                      quantization({like.scale}, like.zero_point, 0));
  }

  std::int32_t tensor(QValueId id) {
    auto& number = tensor_of_[index_of(id)];
    const auto& value = graph_.value(id);
    if (number < 0) number = activation(value.name, value.shape, value);
    return number;
  }

  std::int32_t constant(const QValue& value, const Tensor& data, std::int32_t axis) {
    const auto scales = value.channel_scales.empty() ? std::vector<float>{value.scale} : value.channel_scales;
    return add_tensor(value.name, data.shape(), element_type(value.dtype), data.bytes(),
                      quantization(scales, value.zero_point, axis));
  }

  std::int32_t integers(const std::string& what, const std::vector<std::int32_t>& list, const Shape& shape) {
    return add_tensor(output().name + what, shape, ElementType::int32, std::as_bytes(std::span(list)), {});
  }

  // ---- Nodes

  struct Clamp {
    std::int32_t lowest, highest;
  };

  /// The activation that limits the output so; nullptr if there is none.
  const Activation* activation_for(Clamp clamp) const {
    for (const auto& each : kActivations) {
      if (clamp_level(output(), each.lowest) == clamp.lowest &&
          clamp_level(output(), each.highest) == clamp.highest)
        return &each;
    }
    return nullptr;
  }

  /// An operator with a fused activation, whose number `settings` takes, or with operators behind it that
  /// limit the levels.
  void add_clamped(const std::string& name, std::int32_t version, const std::vector<std::int32_t>& inputs,
                   Clamp clamp, Settings kind, const std::function<void(std::int8_t)>& settings) {
    const auto* found = activation_for(clamp);
    const auto* activation = found && found->number != kAlone ? found : nullptr;
    const auto number = activation ? activation->number : std::int8_t{0};
    const auto to = activation ? tensor(node_->output) : unclamped();
    const auto fill = settings ? Fill([&] { settings(number); }) : Fill();
    add_operator(name, version, inputs, to, kind, fill);
    if (!activation) add_limits(to, clamp);
  }

  std::int32_t unclamped() { return activation(output().name + ".unclamped", output().shape, output()); }

  void add_limits(std::int32_t from, Clamp clamp) {
    const auto [lowest, highest] = levels_of(output().dtype);
    const bool both = clamp.lowest > lowest && clamp.highest < highest;
    const auto middle =
        both ? activation(output().name + ".raised", output().shape, output()) : tensor(node_->output);
    if (clamp.lowest > lowest) {
      add_operator("MAXIMUM", version(2, 3), {from, level(".lowest", clamp.lowest)}, middle);
      from = middle;
    }
    if (clamp.highest < highest)
      add_operator("MINIMUM", version(2, 3), {from, level(".highest", clamp.highest)}, tensor(node_->output));
  }

  /// One number of the output's scale.
  std::int32_t level(const std::string& what, std::int32_t number) {
    return level_like(output(), what, number);
  }
  std::int32_t level_like(const QValue& like, const std::string& what, std::int32_t number) {
    const auto byte = static_cast<std::int8_t>(number);
    const auto word = static_cast<std::int16_t>(number);
    const auto data = is_wide(like) ? std::as_bytes(std::span(&word, 1)) : std::as_bytes(std::span(&byte, 1));
    return add_tensor(output().name + what, {1}, element_type(like.dtype), data,
                      quantization({like.scale}, like.zero_point, 0));
  }

  static bool follows(const Requantization& stated, double factor) {
    const auto computed = to_requantization(factor);
    return computed.multiplier == stated.multiplier && computed.shift == stated.shift;
  }

  /// Readers of the file compute multipliers from its scales.
  void expect_multiplier(const Requantization& stated, double factor) const {
    const auto computed = to_requantization(factor);
    if (!follows(stated, factor))
      refuse(fmt::format("multiplier {} with shift {}", stated.multiplier, stated.shift),
             fmt::format("{} and {}, as TensorFlow Lite computes them from the scales", computed.multiplier,
                         computed.shift),
             "quantize the network again");
  }

  struct Padded {
    std::int32_t from;
    std::int8_t padding;
  };

  /// A padding that is neither SAME nor VALID is an operator of its own, with `filler` around the image.
  Padded padded(const Window& window, std::int32_t filler) {
    const auto& image = input(0);
    const auto from = tensor(node_->inputs[0]);
    if (is_unpadded(window)) return {from, kValid};
    if (is_same_padding(window, image.shape)) return {from, kSame};
    Shape shape = image.shape;
    for (std::size_t i = 0; i < 2; ++i) shape[i + 1] += window.pad_begin[i] + window.pad_end[i];
    const auto amounts = integers(
        ".padding",
        {0, 0, window.pad_begin[0], window.pad_end[0], window.pad_begin[1], window.pad_end[1], 0, 0}, {4, 2});
    const auto to = activation(output().name + ".padded", shape, image);
    if (filler == image.zero_point) {
      add_operator("PAD", version(2, 3), {from, amounts}, to);
    } else {
      add_operator("PADV2", version(2, 3), {from, amounts, level_like(image, ".filler", filler)}, to);
    }
    return {to, kValid};
  }

  void write(const QConv& conv) {
    const auto& weight = input(1);
    for (std::size_t o = 0; o < conv.requantization.size(); ++o)
      expect_multiplier(conv.requantization[o], weight_factor(input(0), weight, o, output()));
    const bool depthwise = conv.groups == input(0).shape[3] && conv.groups > 1;
    const auto [x, padding] = padded(conv.window, input(0).zero_point);
    const auto w = depthwise ? constant(weight, channels_last(weight.constant), 3)
                             : constant(weight, weight.constant, 0);
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

  /// Padding and strides, which open the settings of all windows. Returns the next field.
  int set_window(std::int8_t padding, const Window& window) {
    set(0, padding);
    set(1, window.stride[1]);
    set(2, window.stride[0]);
    return 3;
  }

  void write(const QLinear& linear) {
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

  void write_pool(const char* name, const Window& window, Clamp clamp, Padded from) {
    if (window.dilation[0] != 1 || window.dilation[1] != 1) refuse("a dilated pool", "a dilation of 1");
    add_clamped(name, version(2, 3), {from.from}, clamp, Settings::pool, [&](std::int8_t activation) {
      set_window(from.padding, window);
      set(3, window.kernel[1]);
      set(4, window.kernel[0]);
      set(5, activation);
    });
  }

  void write(const QMaxPool& pool) {
    write_pool("MAX_POOL_2D", pool.window, {pool.clamp_min, pool.clamp_max},
               padded(pool.window, levels_of(input(0).dtype).lowest));
  }

  void write(const QAvgPool& pool) {
    if (!is_unpadded(pool.window) && !is_same_padding(pool.window, input(0).shape))
      refuse("an average over another padding", "SAME or VALID");
    write_pool("AVERAGE_POOL_2D", pool.window, {pool.clamp_min, pool.clamp_max}, padded(pool.window, 0));
  }

  void write(const QAdd& add) {
    add_clamped(add.subtract ? "SUB" : "ADD", version(2, 4), {operand(0), operand(1)},
                {add.clamp_min, add.clamp_max}, add.subtract ? Settings::sub : Settings::add,
                [&](std::int8_t activation) {
                  set(0, activation);
                  set(1, std::uint8_t{0});  // 16 bits: scales need not be powers of 2
                });
  }

  std::function<void(std::int8_t)> set_activation() {
    return [this](std::int8_t activation) { set(0, activation); };
  }

  /// An activation, or a constant.
  std::int32_t operand(std::size_t i) {
    const auto& value = input(i);
    return value.constant.empty() ? tensor(node_->inputs[i]) : constant(value, value.constant, 0);
  }

  void write(const QMul& mul) {
    const auto needed = mul_for(input(0), input(1), output(), graph_.profile).requantization;
    expect_multiplier(mul.requantization,
                      std::ldexp(static_cast<double>(needed.multiplier), needed.shift - 31));
    add_clamped("MUL", 2, {operand(0), operand(1)}, {mul.clamp_min, mul.clamp_max}, Settings::mul,
                set_activation());
  }

  void write(const QMean& mean) {
    std::vector<std::int32_t> axes;
    for (auto axis = mean.first_axis; axis <= mean.last_axis; ++axis) axes.push_back(axis);
    const auto list = integers(".axes", axes, {static_cast<std::int64_t>(axes.size())});
    const bool keeps = output().shape.size() == input(0).shape.size();
    add_operator("MEAN", 2, {tensor(node_->inputs[0]), list}, tensor(node_->output), Settings::reducer,
                 [&] { set(0, static_cast<std::uint8_t>(keeps)); });
  }

  void write(const QPad& pad) {
    std::vector<std::int32_t> amounts;
    for (std::size_t axis = 0; axis < pad.begin.size(); ++axis) {
      amounts.push_back(pad.begin[axis]);
      amounts.push_back(pad.end[axis]);
    }
    const auto list = integers(".padding", amounts, {static_cast<std::int64_t>(pad.begin.size()), 2});
    std::vector inputs{tensor(node_->inputs[0]), list};
    const bool zeros = pad.level == output().zero_point;
    if (!zeros) inputs.push_back(level(".filler", pad.level));
    add_operator(zeros ? "PAD" : "PADV2", 2, inputs, tensor(node_->output));
  }

  void write(const QTable& table) {
    const auto x = tensor(node_->inputs[0]), y = tensor(node_->output);
    if (table.function == "sigmoid") return add_operator("LOGISTIC", 2, {x}, y);
    if (table.function == "tanh") return add_operator("TANH", 2, {x}, y);
    if (table.function == "hard_swish") return add_operator("HARD_SWISH", 1, {x}, y);
    if (table.function == "elu") return add_operator("ELU", 1, {x}, y);
    if (table.function == "leaky_relu")
      return add_operator("LEAKY_RELU", 2, {x}, y, Settings::leaky_relu, [&] { set(0, table.parameter); });
    if (table.function == "silu") return write_silu(x, y);
    if (table.function == "hard_sigmoid") return write_hard_sigmoid(x, y);
    if (graph_.profile == "tflite-micro")
      refuse("gelu", "a function that TensorFlow Lite Micro has", "export it in the profile litert");
    const bool by_tanh = table.function == "gelu_tanh";
    add_operator("GELU", 2, {x}, y, Settings::gelu, [&] { set(0, static_cast<std::uint8_t>(by_tanh)); });
  }

  /// x * sigmoid(x)
  void write_silu(std::int32_t x, std::int32_t y) {
    const auto gate = activation(output().name + ".sigmoid", output().shape, table_middle("silu"));
    add_operator("LOGISTIC", 2, {x}, gate);
    add_operator("MUL", 2, {x, gate}, y, Settings::mul, [&] { set(0, std::int8_t{0}); });
  }

  /// relu6(x + 3) / 6
  void write_hard_sigmoid(std::int32_t x, std::int32_t y) {
    constexpr std::int8_t kRelu6 = 3;
    const auto sum = activation(output().name + ".sum", output().shape, table_middle("hard_sigmoid"));
    const auto offset = largest_level(".offset", hard_sigmoid_offset());
    const auto factor = largest_level(".factor", hard_sigmoid_factor());
    add_operator("ADD", 2, {x, offset}, sum, Settings::add, [&] { set(0, kRelu6); });
    add_operator("MUL", 2, {sum, factor}, y, Settings::mul, [&] { set(0, std::int8_t{0}); });
  }

  /// The number that 127 is in the scale `like`.
  std::int32_t largest_level(const std::string& what, const QValue& like) {
    constexpr std::int8_t kLevel = 127;
    return add_tensor(output().name + what, {1}, ElementType::int8, std::as_bytes(std::span(&kLevel, 1)),
                      quantization({like.scale}, like.zero_point, 0));
  }

  void write(const QConcat& concat) {
    std::vector<std::int32_t> inputs;
    for (const auto id : node_->inputs) inputs.push_back(tensor(id));
    add_operator("CONCATENATION", version(2, 3), inputs, tensor(node_->output), Settings::concat, [&] {
      set(0, concat.axis);
      set(1, std::int8_t{0});
    });
  }

  void write(const QTranspose& transpose) {
    const auto order =
        integers(".order", transpose.order, {static_cast<std::int64_t>(transpose.order.size())});
    add_operator("TRANSPOSE", version(2, 4), {tensor(node_->inputs[0]), order}, tensor(node_->output));
  }

  void write(const QReshape&) {
    const std::vector<std::int32_t> extents(output().shape.begin(), output().shape.end());
    const auto shape = integers(".shape", extents, {static_cast<std::int64_t>(extents.size())});
    add_operator("RESHAPE", 1, {tensor(node_->inputs[0]), shape}, tensor(node_->output));
  }

  void write(const QSoftmax&) {
    add_operator("SOFTMAX", 2, {tensor(node_->inputs[0])}, tensor(node_->output), Settings::softmax,
                 [&] { set(0, 1.0f); });
  }

  /// An activation by itself divides the scales as floats, QUANTIZE as doubles. Activations of TensorFlow
  /// Lite Micro know one scale.
  void write(const QRequantize& op) {
    const auto &from = input(0), &to = output();
    const std::vector inputs{tensor(node_->inputs[0])};
    const Clamp clamp{op.clamp_min, op.clamp_max};
    const auto* alone =
        graph_.profile == "litert" && !is_wide(from) && !is_wide(to) ? activation_for(clamp) : nullptr;
    if (alone && alone->number != 0 &&
        follows(op.requantization, static_cast<double>(from.scale / to.scale))) {
      add_operator(alone->op, alone->version, inputs, tensor(node_->output));
      return;
    }
    expect_multiplier(op.requantization, static_cast<double>(from.scale) / static_cast<double>(to.scale));
    const bool free = LevelRange{clamp.lowest, clamp.highest} == levels_of(to.dtype);
    const auto quantized = free ? tensor(node_->output) : unclamped();
    add_operator("QUANTIZE", 2, inputs, quantized);
    if (!free) add_limits(quantized, clamp);
  }

  const QuantizedGraph& graph_;
  const QNode* node_ = nullptr;
  FlatBufferBuilder builder_;
  std::vector<std::int32_t> tensor_of_;  ///< by value; -1 where it has none yet
  std::vector<TableAt> buffers_, tensors_, operators_;
  std::vector<std::pair<std::string, std::int32_t>> codes_;  ///< operators and their versions
};

}  // namespace

std::string tflite_bytes(const QuantizedGraph& graph) {
  verify(graph);
  return Writer(graph).run();
}

ExportResult write_tflite(const ExportRequest& request) {
  ExportResult result;
  result.files[request.name + ".tflite"] = tflite_bytes(request.graph);
  result.constant_bytes = constant_bytes_of(request.graph);
  return result;
}

}  // namespace compress
