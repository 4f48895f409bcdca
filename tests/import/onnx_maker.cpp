#include "onnx_maker.h"

#include <cstring>

namespace compress::testing {
namespace {

template <typename T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

void Message::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
  bytes_ += static_cast<char>(value);
}

Message& Message::number(std::uint32_t field, std::uint64_t value) {
  varint(field << 3);
  varint(value);
  return *this;
}

Message& Message::text(std::uint32_t field, std::string_view content) {
  varint(field << 3 | 2);
  varint(content.size());
  bytes_ += content;
  return *this;
}

Message& Message::float32(std::uint32_t field, float value) {
  varint(field << 3 | 5);
  bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  return *this;
}

Message tensor(const std::string& name, std::int64_t type, const std::vector<std::int64_t>& dims,
               const std::string& bytes) {
  Message result;
  for (const auto extent : dims) result.number(1, static_cast<std::uint64_t>(extent));
  result.number(2, static_cast<std::uint64_t>(type)).text(8, name).text(9, bytes);
  return result;
}

Message floats(const std::string& name, const std::vector<std::int64_t>& dims,
               const std::vector<float>& values) {
  return tensor(name, 1, dims, raw(values));
}

Message integers(const std::string& name, const std::vector<std::int64_t>& values) {
  return tensor(name, 7, {static_cast<std::int64_t>(values.size())}, raw(values));
}

Message attribute(const std::string& name, std::int64_t value) {
  return Message().text(1, name).number(3, static_cast<std::uint64_t>(value)).number(20, 2);
}

Message attribute(const std::string& name, float value) {
  return Message().text(1, name).float32(2, value).number(20, 1);
}

Message attribute(const std::string& name, const std::vector<std::int64_t>& values) {
  Message result = Message().text(1, name);
  for (const auto each : values) result.number(8, static_cast<std::uint64_t>(each));
  return result.number(20, 7);
}

Message attribute(const std::string& name, const std::string& text) {
  return Message().text(1, name).text(4, text).number(20, 3);
}

Message attribute(const std::string& name, const Message& content) {
  return Message().text(1, name).message(5, content).number(20, 4);
}

Message node(const std::string& op, const std::vector<std::string>& inputs,
             const std::vector<std::string>& outputs, const std::vector<Message>& attributes,
             const std::string& name) {
  Message result;
  for (const auto& input : inputs) result.text(1, input);
  for (const auto& output : outputs) result.text(2, output);
  if (!name.empty()) result.text(3, name);
  result.text(4, op);
  for (const auto& each : attributes) result.message(5, each);
  return result;
}

Message value(const std::string& name, const std::vector<std::int64_t>& dims, std::int64_t type) {
  Message shape;
  for (const auto extent : dims) {
    Message dim;
    if (extent < 0) dim.text(2, "n");
    if (extent >= 0) dim.number(1, static_cast<std::uint64_t>(extent));
    shape.message(1, dim);
  }
  const auto of_tensor = Message().number(1, static_cast<std::uint64_t>(type)).message(2, shape);
  return Message().text(1, name).message(2, Message().message(1, of_tensor));
}

std::string OnnxFile::bytes() const {
  Message graph;
  for (const auto& each : nodes) graph.message(1, each);
  graph.text(2, "made");
  for (const auto& each : initializers) graph.message(5, each);
  for (const auto& each : inputs) graph.message(11, each);
  for (const auto& each : outputs) graph.message(12, each);
  return Message()
      .number(1, 8)
      .text(2, "a test")
      .message(7, graph)
      .message(8, Message().text(1, "").number(2, static_cast<std::uint64_t>(opset)))
      .bytes();
}

}  // namespace compress::testing
