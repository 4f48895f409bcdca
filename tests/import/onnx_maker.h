// Writes small ONNX files for tests, field by field, well formed or not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace compress::testing {

/// A protobuf message as its bytes.
class Message {
 public:
  Message& number(std::uint32_t field, std::uint64_t value);
  Message& text(std::uint32_t field, std::string_view content);
  Message& message(std::uint32_t field, const Message& content) { return text(field, content.bytes()); }
  Message& float32(std::uint32_t field, float value);
  const std::string& bytes() const { return bytes_; }

 private:
  void varint(std::uint64_t value);
  std::string bytes_;
};

/// TensorProto with raw data.
Message floats(const std::string& name, const std::vector<std::int64_t>& dims,
               const std::vector<float>& values);
Message integers(const std::string& name, const std::vector<std::int64_t>& values);
/// TensorProto of a type and raw bytes that need not fit.
Message tensor(const std::string& name, std::int64_t type, const std::vector<std::int64_t>& dims,
               const std::string& raw);

/// AttributeProto.
Message attribute(const std::string& name, std::int64_t value);
Message attribute(const std::string& name, float value);
Message attribute(const std::string& name, const std::vector<std::int64_t>& values);
Message attribute(const std::string& name, const std::string& text);
Message attribute(const std::string& name, const Message& tensor);

Message node(const std::string& op, const std::vector<std::string>& inputs,
             const std::vector<std::string>& outputs, const std::vector<Message>& attributes = {},
             const std::string& name = "");

/// ValueInfoProto of floats; an extent of -1 is the open dimension "n".
Message value(const std::string& name, const std::vector<std::int64_t>& dims, std::int64_t type = 1);

struct OnnxFile {
  std::vector<Message> nodes{};
  std::vector<Message> initializers{};
  std::vector<Message> inputs{};
  std::vector<Message> outputs{};
  std::int64_t opset = 17;

  std::string bytes() const;
};

}  // namespace compress::testing
