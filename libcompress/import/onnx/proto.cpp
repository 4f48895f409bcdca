#include "libcompress/import/onnx/proto.h"

#include <fmt/format.h>

#include <algorithm>

#include "libcompress/base/error.h"
#include "libcompress/import/protobuf_wire.h"

namespace compress::onnx {
namespace {

constexpr std::int64_t kOldestOpset = 7;
constexpr std::int64_t kNewestOpset = 23;
constexpr std::size_t kMostItems = 200'000;     // nodes, initializers, inputs, outputs
constexpr std::size_t kMostNames = 100'000;     // of one node
constexpr std::size_t kMostAttributes = 1'000;  // of one node
constexpr std::size_t kMostMetadata = 10'000;   // entries of a model
constexpr std::size_t kMostDimensions = 16;
constexpr std::size_t kLongestName = 1'024;
constexpr std::size_t kLongestList = 1u << 24;  // numbers of one attribute
constexpr std::size_t kMostElements = std::size_t{1} << 31;

template <typename T>
T& grow(std::vector<T>& list, std::size_t limit, const ProtobufMessage& at, const char* what) {
  if (list.size() >= limit) at.fail(fmt::format("more than {} {}", limit, what));
  return list.emplace_back();
}

std::string_view read_name(ProtobufMessage& message) {
  const auto text = message.text();
  if (text.size() > kLongestName)
    message.fail(fmt::format("a name of {} bytes", text.size()), fmt::format("at most {}", kLongestName));
  if (!is_utf8(text)) message.fail("a name that is not UTF-8");
  return text;
}

KeyValue read_key_value(ProtobufMessage message) {
  KeyValue entry;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        entry.key = message.text();
        break;
      case 2:
        entry.value = message.text();
        break;
      default:
        message.skip();
    }
  }
  return entry;
}

void read_tensor(ProtobufMessage message, TensorRecord& tensor) {
  while (message.next()) {
    switch (message.field()) {
      case 1:
        message.append(tensor.dims, kMostDimensions);
        break;
      case 2:
        tensor.type = static_cast<ElementType>(static_cast<std::int32_t>(message.integer()));
        break;
      case 3:
        message.fail("a tensor in segments", "whole tensors");
      case 4:
        message.append(tensor.floats, kMostElements);
        break;
      case 5:
      case 7:
      case 11:
        message.append(tensor.integers, kMostElements);
        break;
      case 8:
        tensor.name = read_name(message);
        break;
      case 9:
        tensor.raw = message.bytes();
        tensor.has_raw = true;
        break;
      case 10:
        message.append(tensor.doubles, kMostElements);
        break;
      case 13:
        grow(tensor.external_data, 16, message, "entries of external data") =
            read_key_value(message.message());
        break;
      case 14:
        tensor.external = message.integer() == 1;
        break;
      default:
        message.skip();
    }
  }
}

void read_attribute(ProtobufMessage message, AttributeRecord& attribute) {
  while (message.next()) {
    switch (message.field()) {
      case 1:
        attribute.name = read_name(message);
        break;
      case 2:
        attribute.number = message.float32();
        break;
      case 3:
        attribute.integer = message.integer();
        break;
      case 4:
        attribute.text = message.text();
        break;
      case 5:
      case 10:
        read_tensor(message.message(), grow(attribute.tensors, kMostNames, message, "tensors"));
        break;
      case 6:
      case 11:
        attribute.has_graph = true;
        message.skip();
        break;
      case 7:
        message.append(attribute.numbers, kLongestList);
        break;
      case 8:
        message.append(attribute.integers, kLongestList);
        break;
      case 9:
        grow(attribute.texts, kMostNames, message, "texts") = message.text();
        break;
      case 20:
        attribute.type = message.integer();
        break;
      default:
        message.skip();
    }
  }
}

void read_node(ProtobufMessage message, NodeRecord& node) {
  while (message.next()) {
    switch (message.field()) {
      case 1:
        grow(node.inputs, kMostNames, message, "inputs of a node") = read_name(message);
        break;
      case 2:
        grow(node.outputs, kMostNames, message, "outputs of a node") = read_name(message);
        break;
      case 3:
        node.name = read_name(message);
        break;
      case 4:
        node.op = read_name(message);
        break;
      case 5:
        read_attribute(message.message(),
                       grow(node.attributes, kMostAttributes, message, "attributes of a node"));
        break;
      case 7:
        node.domain = read_name(message);
        break;
      default:
        message.skip();
    }
  }
  if (node.domain == "ai.onnx") node.domain = "";
}

void read_dim(ProtobufMessage message, DimRecord& dim) {
  while (message.next()) {
    switch (message.field()) {
      case 1:
        dim.extent = message.integer();
        break;
      case 2:
        dim.parameter = read_name(message);
        break;
      default:
        message.skip();
    }
  }
}

void read_shape(ProtobufMessage message, ValueRecord& value) {
  while (message.next()) {
    if (message.field() == 1) {
      read_dim(message.message(), grow(value.dims, kMostDimensions, message, "dimensions"));
    } else {
      message.skip();
    }
  }
}

void read_tensor_type(ProtobufMessage message, ValueRecord& value) {
  value.is_tensor = true;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        value.type = static_cast<ElementType>(static_cast<std::int32_t>(message.integer()));
        break;
      case 2:
        value.has_shape = true;
        read_shape(message.message(), value);
        break;
      default:
        message.skip();
    }
  }
}

void read_type(ProtobufMessage message, ValueRecord& value) {
  while (message.next()) {
    if (message.field() == 1) {
      read_tensor_type(message.message(), value);
    } else {
      message.skip();
    }
  }
}

void read_value(ProtobufMessage message, ValueRecord& value) {
  while (message.next()) {
    switch (message.field()) {
      case 1:
        value.name = read_name(message);
        break;
      case 2:
        read_type(message.message(), value);
        break;
      default:
        message.skip();
    }
  }
}

/// The name of a SparseTensorProto is that of its values.
std::string_view read_sparse_name(ProtobufMessage message) {
  TensorRecord values;
  while (message.next()) {
    if (message.field() == 1) {
      read_tensor(message.message(), values);
    } else {
      message.skip();
    }
  }
  return values.name;
}

void read_graph(ProtobufMessage message, GraphRecord& graph) {
  while (message.next()) {
    switch (message.field()) {
      case 1:
        read_node(message.message(), grow(graph.nodes, kMostItems, message, "nodes"));
        break;
      case 2:
        graph.name = read_name(message);
        break;
      case 5:
        read_tensor(message.message(), grow(graph.initializers, kMostItems, message, "initializers"));
        break;
      case 11:
        read_value(message.message(), grow(graph.inputs, kMostItems, message, "inputs"));
        break;
      case 12:
        read_value(message.message(), grow(graph.outputs, kMostItems, message, "outputs"));
        break;
      case 15:
        grow(graph.sparse_initializers, kMostItems, message, "sparse initializers") =
            read_sparse_name(message.message());
        break;
      default:
        message.skip();
    }
  }
}

void read_opset(ProtobufMessage message, ModelRecord& model) {
  std::string_view domain;
  std::int64_t version = 0;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        domain = message.text();
        break;
      case 2:
        version = message.integer();
        break;
      default:
        message.skip();
    }
  }
  if (domain.empty() || domain == "ai.onnx") model.opset = version;
}

void check_opset(const ModelRecord& model) {
  if (model.opset >= kOldestOpset && model.opset <= kNewestOpset) return;
  throw Error(ErrorKind::input, {model.name,
                                 model.opset == 0 ? std::string("no opset of the standard operators")
                                                  : fmt::format("opset {}", model.opset),
                                 fmt::format("opset {} to {}", kOldestOpset, kNewestOpset),
                                 "export the model again with another opset"});
}

}  // namespace

bool is_float(ElementType type) {
  return type == ElementType::float32 || type == ElementType::float16 || type == ElementType::float64 ||
         type == ElementType::bfloat16;
}

bool is_integer(ElementType type) {
  switch (type) {
    case ElementType::uint8:
    case ElementType::int8:
    case ElementType::uint16:
    case ElementType::int16:
    case ElementType::int32:
    case ElementType::int64:
    case ElementType::uint32:
    case ElementType::uint64:
      return true;
    default:
      return false;
  }
}

std::string name_of(ElementType type) {
  constexpr const char* kNames[] = {"undefined", "float32", "uint8",   "int8",    "uint16",  "int16",
                                    "int32",     "int64",   "string",  "bool",    "float16", "float64",
                                    "uint32",    "uint64",  "complex", "complex", "bfloat16"};
  const auto number = static_cast<std::int32_t>(type);
  if (number >= 0 && number < static_cast<std::int32_t>(std::size(kNames))) return kNames[number];
  return fmt::format("type {}", number);
}

namespace {

void read_metadata(ProtobufMessage& message, ModelRecord& model) {
  const auto entry = read_key_value(message.message());
  if (model.metadata.size() == kMostMetadata)
    message.fail("too many entries of metadata", fmt::format("at most {}", kMostMetadata));
  if (is_utf8(entry.key) && is_utf8(entry.value)) model.metadata.push_back(entry);
}

}  // namespace

ModelRecord parse_model(std::span<const std::byte> bytes, const std::string& name) {
  ByteReader reader(bytes, name);
  ProtobufMessage message(reader);
  ModelRecord model;
  model.name = name;
  model.byte_count = bytes.size();
  bool has_graph = false;
  while (message.next()) {
    switch (message.field()) {
      case 2:
        model.producer = read_name(message);
        break;
      case 7:
        if (has_graph) message.fail("a second graph", "one");
        has_graph = true;
        read_graph(message.message(), model.graph);
        break;
      case 8:
        read_opset(message.message(), model);
        break;
      case 14:
        read_metadata(message, model);
        break;
      default:
        message.skip();
    }
  }
  if (!has_graph) message.fail("no graph", "an ONNX model");
  check_opset(model);
  return model;
}

TensorRecord parse_tensor(std::span<const std::byte> bytes, const std::string& name) {
  ByteReader reader(bytes, name);
  TensorRecord tensor;
  read_tensor(ProtobufMessage(reader), tensor);
  return tensor;
}

}  // namespace compress::onnx
