#include "libcompress/export/onnx/wire.h"

#include <bit>

namespace compress::onnx_export {
namespace {

enum WireType : unsigned { kVarint = 0, kLength = 2, kFixed32 = 5 };

}  // namespace

void Message::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
  bytes_.push_back(static_cast<char>(value));
}

void Message::tag(int field, unsigned wire_type) {
  varint(static_cast<std::uint64_t>(field) << 3 | wire_type);
}

Message& Message::integer(int field, std::int64_t value) {
  tag(field, kVarint);
  varint(static_cast<std::uint64_t>(value));
  return *this;
}

Message& Message::number(int field, float value) {
  tag(field, kFixed32);
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (unsigned shift = 0; shift < 32; shift += 8) bytes_.push_back(static_cast<char>(bits >> shift & 0xff));
  return *this;
}

Message& Message::text(int field, std::string_view value) {
  tag(field, kLength);
  varint(value.size());
  bytes_.append(value);
  return *this;
}

}  // namespace compress::onnx_export
