// The wire format of Protocol Buffers, as far as writing a message needs it.
// https://protobuf.dev/programming-guides/encoding/
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace compress::onnx_export {

/// A message in the making: fields are appended in the order of the calls.
class Message {
 public:
  Message& integer(int field, std::int64_t value);
  Message& number(int field, float value);
  Message& text(int field, std::string_view value);
  Message& message(int field, const Message& value) { return text(field, value.bytes_); }

  const std::string& bytes() const { return bytes_; }
  std::string take() { return std::move(bytes_); }
  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }

 private:
  void tag(int field, unsigned wire_type);
  void varint(std::uint64_t value);

  std::string bytes_;
};

}  // namespace compress::onnx_export
