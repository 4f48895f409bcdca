// The file, its values, and what the families share.
#include "libcompress/quant/tflite/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "libcompress/base/checked.h"
#include "libcompress/base/error.h"
#include "libcompress/import/bytes.h"
#include "libcompress/import/network_maker.h"

namespace compress {
namespace {

/// Fields that the settings of every operator with a window have.
constexpr std::uint16_t kPadding = 0, kStrideW = 1, kStrideH = 2;

}  // namespace

QuantizedTfliteReader::QuantizedTfliteReader(const tflite::FileRecord& file, const std::string& profile)
    : file_(file) {
  graph_.name = readable_name(file.name);
  if (graph_.name.empty()) graph_.name = "network";
  graph_.profile = profile;
}

void QuantizedTfliteReader::fail(const std::string& where, std::string found, std::string allowed,
                                 std::string remedy) {
  throw Error(ErrorKind::input, {where, std::move(found), std::move(allowed), std::move(remedy)});
}

QuantizedGraph QuantizedTfliteReader::run() {
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

const std::vector<QuantizedTfliteReader::Row>& QuantizedTfliteReader::rows() {
  using Reader = QuantizedTfliteReader;
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
      {"RESIZE_NEAREST_NEIGHBOR", &Reader::resize_nearest, 2},
      {"SLICE", &Reader::slice, 3},
      {"SOFTMAX", &Reader::softmax, 1},
      {"SPLIT", &Reader::split, 2, true},
      {"SQUEEZE", &Reader::reshape, 1},
      {"STRIDED_SLICE", &Reader::strided_slice, 4},
      {"SUB", &Reader::sub, 2},
      {"TANH", &Reader::tanh, 1},
      {"TRANSPOSE", &Reader::transpose, 2},
  };
  return all;
}

const tflite::TensorRecord& QuantizedTfliteReader::tensor(std::int32_t index) const {
  return file_.tensors[static_cast<std::size_t>(index)];
}

std::string QuantizedTfliteReader::where(const TensorRecord& record) {
  return "tensor " + in_quotes(record.name);
}

std::string QuantizedTfliteReader::where() const {
  return fmt::format("operator {} ({})", graph_.nodes.size() + skipped_, record_->op);
}

void QuantizedTfliteReader::refuse(std::string found, std::string allowed, std::string remedy) const {
  fail(where(), std::move(found), std::move(allowed), std::move(remedy));
}

std::int32_t QuantizedTfliteReader::input(std::size_t i) const {
  if (!has(i)) refuse(fmt::format("no input {}", i), "one");
  return record_->inputs[i];
}

void QuantizedTfliteReader::read(const OperatorRecord& record) {
  record_ = &record;
  const auto& all = rows();
  const auto row = std::find_if(all.begin(), all.end(), [&](const Row& r) { return r.op == record.op; });
  if (row == all.end()) {
    std::vector<std::string_view> names;
    for (const auto& r : all) names.push_back(r.op);
    refuse("an operator that has no 8-bit form here", fmt::format("{}", fmt::join(names, ", ")),
           "read a float file of the network and quantize that");
  }
  const bool made = std::ranges::all_of(record.outputs, [](std::int32_t index) { return index >= 0; });
  if (record.outputs.empty() || !made || (record.outputs.size() != 1 && !row->splits))
    refuse(fmt::format("{} outputs", record.outputs.size()), row->splits ? "1 or more" : "1");
  if (record.inputs.size() < row->inputs)
    refuse(fmt::format("{} inputs", record.inputs.size()), fmt::format("{} or more", row->inputs));
  (this->*row->read)();
}

std::string QuantizedTfliteReader::unique_name(const std::string& wanted) {
  auto name = wanted;
  auto& used = used_[wanted];
  while (!names_.insert(name).second) name = fmt::format("{}.{}", wanted, ++used + 1);
  return name;
}

QValueId QuantizedTfliteReader::append(QValue value) {
  value.id = static_cast<QValueId>(graph_.values.size());
  value.name = unique_name(value.name);
  graph_.values.push_back(std::move(value));
  return graph_.values.back().id;
}

void QuantizedTfliteReader::check_scales(const TensorRecord& record) {
  const auto& quantization = record.quantization;
  if (quantization.scales.empty())
    fail(where(record), fmt::format("{} without a scale", name_of(record.type)), "a scale",
         "convert the network with full integer quantization");
  for (const auto scale : quantization.scales) {
    if (!std::isfinite(scale) || scale <= 0)
      fail(where(record), fmt::format("a scale of {}", scale), "finite and above 0");
  }
}

std::string QuantizedTfliteReader::name_of_activation(const TensorRecord& record) {
  auto name = readable_name(record.name.substr(0, record.name.find(';')));
  return name.empty() ? "value" : name;
}

QValueId QuantizedTfliteReader::activation(std::int32_t index) {
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

const tflite::TensorRecord& QuantizedTfliteReader::constant(std::size_t i, ElementType type,
                                                            std::size_t size) const {
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

Tensor QuantizedTfliteReader::tensor_of(const TensorRecord& record, DType type, Shape shape) {
  Tensor result(type, std::move(shape));
  std::memcpy(result.bytes().data(), record.data.data(), record.data.size());
  return result;
}

std::vector<std::int32_t> QuantizedTfliteReader::integers(std::size_t i) const {
  const auto& record = constant(i, ElementType::int32, sizeof(std::int32_t));
  std::vector<std::int32_t> result(record.data.size() / sizeof(std::int32_t));
  std::memcpy(result.data(), record.data.data(), record.data.size());
  return result;
}

void QuantizedTfliteReader::emit(QOp op, std::vector<QValueId> inputs, QValueId output) {
  graph_.nodes.push_back({value(output).name, std::move(op), std::move(inputs), output});
}

void QuantizedTfliteReader::check_activation(std::int64_t activation) const {
  if (activation < kNone || activation > kRelu6)
    refuse(fmt::format("fused activation {}", activation), "NONE, RELU, RELU_N1_TO_1, RELU6");
}

std::int32_t QuantizedTfliteReader::setting(std::int64_t number, const char* what) const {
  if (number < 1 || number > kLargestSetting)
    refuse(fmt::format("a {} of {}", what, number), fmt::format("1 to {}", kLargestSetting));
  return static_cast<std::int32_t>(number);
}

Window QuantizedTfliteReader::window(const Shape& image, std::array<std::int64_t, 2> kernel,
                                     std::uint16_t dilation) const {
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

}  // namespace compress
