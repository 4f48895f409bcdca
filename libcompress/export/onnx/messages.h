// The messages of onnx.proto that the writer makes. https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "libcompress/export/onnx/wire.h"
#include "libcompress/graph/tensor.h"

namespace compress::onnx_export {

using Integers = std::vector<std::int64_t>;
using Attribute = std::variant<std::int64_t, double, std::string, Integers>;
using AttributeList = std::vector<std::pair<std::string, Attribute>>;

/// An extent, a name for it ("batch"), or neither: unknown.
using Dimension = std::variant<std::monostate, std::int64_t, std::string>;

Message node_proto(const std::string& op, const std::string& name, std::span<const std::string> inputs,
                   const std::string& output, const AttributeList& attributes);

/// A float32, int8, int32 or int64 tensor with its bytes as they are.
Message tensor_proto(std::string_view name, const Tensor& tensor);

/// A float32, int8 or int64 value.
Message value_info_proto(std::string_view name, DType dtype, std::span<const Dimension> dimensions);

Message string_entry_proto(std::string_view key, std::string_view value);
Message operator_set_proto(std::int64_t version);

/// The whole file; `graph` is a GraphProto.
Message model_proto(const Message& graph, std::int64_t ir_version, std::int64_t operator_set);

/// Field numbers of the two outer messages.
namespace field {
enum Model {
  ir_version = 1,
  producer_name = 2,
  producer_version = 3,
  graph = 7,
  opset_import = 8,
  metadata_props = 14
};
enum Graph {
  node = 1,
  graph_name = 2,
  initializer = 5,
  doc_string = 10,
  input = 11,
  output = 12,
  value_info = 13
};
}  // namespace field

}  // namespace compress::onnx_export
