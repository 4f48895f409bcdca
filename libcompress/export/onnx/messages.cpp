#include "libcompress/export/onnx/messages.h"

#include <bit>
#include <cassert>

namespace compress::onnx_export {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

enum ElementType { kFloat = 1, kInt8 = 3, kInt16 = 5, kInt32 = 6, kInt64 = 7 };
enum AttributeType { kFloatAttribute = 1, kIntAttribute = 2, kStringAttribute = 3, kIntsAttribute = 7 };

Message attribute_proto(const std::string& name, const Attribute& value) {
  constexpr int kName = 1, kNumber = 2, kInteger = 3, kText = 4, kIntegers = 8, kType = 20;
  Message message;
  message.text(kName, name);
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    message.integer(kInteger, *integer).integer(kType, kIntAttribute);
  if (const auto* number = std::get_if<double>(&value))
    message.number(kNumber, static_cast<float>(*number)).integer(kType, kFloatAttribute);
  if (const auto* text = std::get_if<std::string>(&value))
    message.text(kText, *text).integer(kType, kStringAttribute);
  if (const auto* integers = std::get_if<Integers>(&value)) {
    for (const auto each : *integers) message.integer(kIntegers, each);
    message.integer(kType, kIntsAttribute);
  }
  return message;
}

ElementType element_type(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return kFloat;
    case DType::int8:
      return kInt8;
    case DType::int16:
      return kInt16;
    case DType::int32:
      return kInt32;
    default:
      assert(dtype == DType::int64);
      return kInt64;
  }
}

Message dimension_proto(const Dimension& dimension) {
  constexpr int kExtent = 1, kName = 2;
  Message message;
  if (const auto* extent = std::get_if<std::int64_t>(&dimension)) message.integer(kExtent, *extent);
  if (const auto* name = std::get_if<std::string>(&dimension)) message.text(kName, *name);
  return message;
}

}  // namespace

Message node_proto(const std::string& op, const std::string& name, std::span<const std::string> inputs,
                   const std::string& output, const AttributeList& attributes) {
  constexpr int kInput = 1, kOutput = 2, kName = 3, kOp = 4, kAttribute = 5;
  Message message;
  for (const auto& input : inputs) message.text(kInput, input);
  message.text(kOutput, output).text(kName, name).text(kOp, op);
  for (const auto& [key, value] : attributes) message.message(kAttribute, attribute_proto(key, value));
  return message;
}

Message tensor_proto(std::string_view name, const Tensor& tensor) {
  constexpr int kDims = 1, kDataType = 2, kName = 8, kRawData = 9;
  Message message;
  message.reserve(tensor.byte_count() + name.size() + 64);
  for (const auto extent : tensor.shape()) message.integer(kDims, extent);
  message.integer(kDataType, element_type(tensor.dtype())).text(kName, name);
  const auto bytes = tensor.bytes();
  return message.text(kRawData, {reinterpret_cast<const char*>(bytes.data()), tensor.byte_count()});
}

Message value_info_proto(std::string_view name, DType dtype, std::span<const Dimension> dimensions) {
  constexpr int kName = 1, kType = 2;
  constexpr int kTensorType = 1;
  constexpr int kElementType = 1, kShape = 2;
  constexpr int kDimension = 1;
  Message shape;
  for (const auto& each : dimensions) shape.message(kDimension, dimension_proto(each));
  const Message tensor = Message().integer(kElementType, element_type(dtype)).message(kShape, shape);
  return Message().text(kName, name).message(kType, Message().message(kTensorType, tensor));
}

Message string_entry_proto(std::string_view key, std::string_view value) {
  return Message().text(1, key).text(2, value);
}

Message operator_set_proto(std::int64_t version) { return Message().text(1, "").integer(2, version); }

Message model_proto(const Message& graph, std::int64_t ir_version, std::int64_t operator_set) {
  Message message;
  message.integer(field::ir_version, ir_version)
      .text(field::producer_name, "libcompress")
      .text(field::producer_version, COMPRESS_VERSION)
      .message(field::graph, graph)
      .message(field::opset_import, operator_set_proto(operator_set));
  return message;
}

}  // namespace compress::onnx_export
