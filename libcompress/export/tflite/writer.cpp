// The file's tables, its values, and what the families share.
#include "libcompress/export/tflite/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "libcompress/base/error.h"

namespace compress {
namespace {

/// Data lies where vector instructions may load it.
constexpr std::size_t kAlignment = 16;
constexpr std::int8_t kSame = 0, kValid = 1;
constexpr float kUnlimited = std::numeric_limits<float>::infinity();

}  // namespace

const TfliteWriter::Activation TfliteWriter::kActivations[5] = {{0, "QUANTIZE", 2, -kUnlimited, kUnlimited},
                                                                {1, "RELU", 2, 0, kUnlimited},
                                                                {3, "RELU6", 2, 0, 6},
                                                                {2, "RELU_N1_TO_1", 1, -1, 1},
                                                                {kAlone, "RELU_0_TO_1", 1, 0, 1}};

bool TfliteWriter::is_same_padding(const Window& window, const Shape& image) {
  for (std::size_t i = 0; i < 2; ++i) {
    const auto extent = image[i + 1];
    const auto outputs = (extent + window.stride[i] - 1) / window.stride[i];
    const auto span = (window.kernel[i] - std::int64_t{1}) * window.dilation[i] + 1;
    const auto needed = std::max<std::int64_t>((outputs - 1) * window.stride[i] + span - extent, 0);
    if (window.pad_begin[i] != needed / 2 || window.pad_end[i] != needed - needed / 2) return false;
  }
  return true;
}

bool TfliteWriter::is_unpadded(const Window& window) {
  return window.pad_begin[0] == 0 && window.pad_begin[1] == 0 && window.pad_end[0] == 0 &&
         window.pad_end[1] == 0;
}

TfliteWriter::TfliteWriter(const QuantizedGraph& graph) : graph_(graph), tensor_of_(graph.values.size(), -1) {
  builder_.ForceDefaults(true);
  buffers_.push_back(buffer({}));  // number 0: no data
}

std::string TfliteWriter::run() {
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

void TfliteWriter::refuse(std::string found, std::string allowed, std::string remedy) const {
  throw Error(ErrorKind::input, {fmt::format("int8 node '{}' as TensorFlow Lite", node_->name),
                                 std::move(found), std::move(allowed), std::move(remedy)});
}

std::int32_t TfliteWriter::version(std::int32_t of_8_bits, std::int32_t of_16_bits) const {
  return is_wide(input(0)) || is_wide(output()) ? of_16_bits : of_8_bits;
}

TfliteWriter::TableAt TfliteWriter::table(const Fill& fill) {
  const auto start = builder_.StartTable();
  fill();
  return TableAt(builder_.EndTable(start));
}

TfliteWriter::TableAt TfliteWriter::buffer(std::span<const std::byte> data) {
  if (data.empty()) return table([] {});
  builder_.ForceVectorAlignment(data.size(), 1, kAlignment);
  const auto at = builder_.CreateVector(reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
  return table([&] { set(0, at); });
}

TfliteWriter::TableAt TfliteWriter::quantization(const std::vector<float>& scales, std::int64_t zero_point,
                                                 std::int32_t axis) {
  const auto scale = builder_.CreateVector(scales);
  const auto zeros = builder_.CreateVector(std::vector<std::int64_t>(scales.size(), zero_point));
  return table([&] {
    set(2, scale);
    set(3, zeros);
    set(6, axis);
  });
}

std::int32_t TfliteWriter::add_tensor(const std::string& name, const Shape& shape, ElementType type,
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

TfliteWriter::TableAt TfliteWriter::subgraph(const std::vector<std::int32_t>& inputs,
                                             const std::vector<std::int32_t>& outputs) {
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

TfliteWriter::TableAt TfliteWriter::model(TableAt graph) {
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

void TfliteWriter::add_operator(const std::string& name, std::int32_t version,
                                const std::vector<std::int32_t>& inputs, std::int32_t to, Settings kind,
                                const Fill& settings) {
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

TfliteWriter::ElementType TfliteWriter::element_type(DType dtype) {
  if (dtype == DType::int16) return ElementType::int16;
  if (dtype == DType::int32) return ElementType::int32;
  return dtype == DType::int64 ? ElementType::int64 : ElementType::int8;
}

std::int32_t TfliteWriter::activation(const std::string& name, const Shape& shape, const QValue& like) {
  return add_tensor(name, shape, element_type(like.dtype), {},
                    quantization({like.scale}, like.zero_point, 0));
}

std::int32_t TfliteWriter::tensor(QValueId id) {
  auto& number = tensor_of_[index_of(id)];
  const auto& value = graph_.value(id);
  if (number < 0) number = activation(value.name, value.shape, value);
  return number;
}

std::int32_t TfliteWriter::constant(const QValue& value, const Tensor& data, std::int32_t axis) {
  const auto scales = value.channel_scales.empty() ? std::vector<float>{value.scale} : value.channel_scales;
  return add_tensor(value.name, data.shape(), element_type(value.dtype), data.bytes(),
                    quantization(scales, value.zero_point, axis));
}

std::int32_t TfliteWriter::integers(const std::string& what, const std::vector<std::int32_t>& list,
                                    const Shape& shape) {
  return add_tensor(output().name + what, shape, ElementType::int32, std::as_bytes(std::span(list)), {});
}

const TfliteWriter::Activation* TfliteWriter::activation_for(Clamp clamp) const {
  for (const auto& each : kActivations) {
    if (clamp_level(output(), each.lowest) == clamp.lowest &&
        clamp_level(output(), each.highest) == clamp.highest)
      return &each;
  }
  return nullptr;
}

void TfliteWriter::add_clamped(const std::string& name, std::int32_t version,
                               const std::vector<std::int32_t>& inputs, Clamp clamp, Settings kind,
                               const std::function<void(std::int8_t)>& settings) {
  const auto* found = activation_for(clamp);
  const auto* activation = found && found->number != kAlone ? found : nullptr;
  const auto number = activation ? activation->number : std::int8_t{0};
  const auto to = activation ? tensor(node_->output) : unclamped();
  const auto fill = settings ? Fill([&] { settings(number); }) : Fill();
  add_operator(name, version, inputs, to, kind, fill);
  if (!activation) add_limits(to, clamp);
}

void TfliteWriter::add_limits(std::int32_t from, Clamp clamp) {
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

std::int32_t TfliteWriter::level(const std::string& what, std::int32_t number) {
  return level_like(output(), what, number);
}

std::int32_t TfliteWriter::level_like(const QValue& like, const std::string& what, std::int32_t number) {
  const auto byte = static_cast<std::int8_t>(number);
  const auto word = static_cast<std::int16_t>(number);
  const auto data = is_wide(like) ? std::as_bytes(std::span(&word, 1)) : std::as_bytes(std::span(&byte, 1));
  return add_tensor(output().name + what, {1}, element_type(like.dtype), data,
                    quantization({like.scale}, like.zero_point, 0));
}

bool TfliteWriter::follows(const Requantization& stated, double factor) {
  const auto computed = to_requantization(factor);
  return computed.multiplier == stated.multiplier && computed.shift == stated.shift;
}

void TfliteWriter::expect_multiplier(const Requantization& stated, double factor) const {
  const auto computed = to_requantization(factor);
  if (!follows(stated, factor))
    refuse(fmt::format("multiplier {} with shift {}", stated.multiplier, stated.shift),
           fmt::format("{} and {}, as TensorFlow Lite computes them from the scales", computed.multiplier,
                       computed.shift),
           "quantize the network again");
}

TfliteWriter::Padded TfliteWriter::padded(const Window& window, std::int32_t filler) {
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

std::int32_t TfliteWriter::operand(std::size_t i) {
  const auto& value = input(i);
  return value.constant.empty() ? tensor(node_->inputs[i]) : constant(value, value.constant, 0);
}

}  // namespace compress
