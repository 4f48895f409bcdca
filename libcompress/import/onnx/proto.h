// The messages of an ONNX file (onnx.proto of the ONNX standard) as far as they are read.
//
// Texts and raw data are views of the file's bytes, which must outlive them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libcompress/import/bytes.h"

namespace compress::onnx {

/// TensorProto.DataType, as far as it has a meaning here.
enum class ElementType : std::int32_t {
  undefined = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  uint16 = 4,
  int16 = 5,
  int32 = 6,
  int64 = 7,
  text = 8,
  boolean = 9,
  float16 = 10,
  float64 = 11,
  uint32 = 12,
  uint64 = 13,
  bfloat16 = 16,
};

bool is_float(ElementType type);
bool is_integer(ElementType type);
/// "float16", "type 17".
std::string name_of(ElementType type);

struct KeyValue {
  std::string_view key;
  std::string_view value;
};

/// A stored tensor, not yet decoded. Exactly one of its data fields should hold content.
struct TensorRecord {
  std::string_view name{};
  ElementType type = ElementType::undefined;
  std::vector<std::int64_t> dims{};
  std::span<const std::byte> raw{};
  bool has_raw = false;
  std::vector<float> floats{};
  std::vector<std::int64_t> integers{};  ///< of int32_data, int64_data or uint64_data
  std::vector<double> doubles{};
  bool external = false;
  std::vector<KeyValue> external_data{};
};

struct AttributeRecord {
  std::string_view name{};
  std::int64_t type = 0;  ///< AttributeProto.AttributeType
  double number = 0;
  std::int64_t integer = 0;
  std::string_view text{};
  std::vector<float> numbers{};
  std::vector<std::int64_t> integers{};
  std::vector<std::string_view> texts{};
  std::vector<TensorRecord> tensors{};  ///< of field `t` or `tensors`
  bool has_graph = false;               ///< holds a subgraph, which is not looked into
};

struct NodeRecord {
  std::string_view name{};
  std::string_view op{};
  std::string_view domain{};
  std::vector<std::string_view> inputs{};  ///< empty where an optional input is left out
  std::vector<std::string_view> outputs{};
  std::vector<AttributeRecord> attributes{};
};

struct DimRecord {
  std::int64_t extent = -1;      ///< -1: open
  std::string_view parameter{};  ///< the name of an open extent, or empty
};

struct ValueRecord {
  std::string_view name{};
  bool is_tensor = false;  ///< else a sequence, a map, or nothing
  ElementType type = ElementType::undefined;
  bool has_shape = false;
  std::vector<DimRecord> dims{};
};

struct GraphRecord {
  std::string_view name{};
  std::vector<NodeRecord> nodes{};
  std::vector<TensorRecord> initializers{};
  std::vector<ValueRecord> inputs{};
  std::vector<ValueRecord> outputs{};
  std::vector<std::string_view> sparse_initializers{};
};

struct ModelRecord {
  std::string name;  ///< of the file, for messages
  std::int64_t opset = 0;
  std::string_view producer{};
  std::vector<KeyValue> metadata{};  ///< what of it is UTF-8
  GraphRecord graph{};
  std::size_t byte_count = 0;
};

/// Reads the messages. Error of kind input for damaged files, more than 200,000 nodes or initializers, names
/// that are empty where they may not be, longer than 1,024 bytes or not UTF-8, tensors of more than 16
/// dimensions, an opset beside 7 to 23.
ModelRecord parse_model(std::span<const std::byte> bytes, const std::string& name);

/// A file that is one TensorProto.
TensorRecord parse_tensor(std::span<const std::byte> bytes, const std::string& name);

}  // namespace compress::onnx
