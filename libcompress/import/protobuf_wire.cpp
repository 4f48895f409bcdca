#include "libcompress/import/protobuf_wire.h"

#include <fmt/format.h>

#include <cstring>

namespace compress {
namespace {

constexpr int kDeepest = 32;
constexpr std::uint32_t kLargestField = (1u << 29) - 1;

const char* name_of(std::uint32_t wire) {
  switch (wire) {
    case 0:
      return "a varint";
    case 1:
      return "8 bytes";
    case 2:
      return "a length and bytes";
    case 5:
      return "4 bytes";
    default:
      return "an unknown kind of content";
  }
}

}  // namespace

ProtobufMessage::ProtobufMessage(ByteReader& reader) : reader_(&reader), end_(reader.size()) {}

ProtobufMessage::ProtobufMessage(ByteReader& reader, std::size_t end, int depth)
    : reader_(&reader), end_(end), depth_(depth) {}

void ProtobufMessage::fail(const std::string& found, const std::string& allowed) const {
  reader_->fail(found, allowed, "the file is damaged or of another kind");
}

bool ProtobufMessage::next() {
  if (left() == 0) return false;
  const auto tag = raw_varint();
  const auto field = tag >> 3;
  const auto wire = static_cast<std::uint32_t>(tag & 7);
  if (field < 1 || field > kLargestField) fail(fmt::format("field number {}", field), "1 to 2^29 - 1");
  if (wire != 0 && wire != 1 && wire != 2 && wire != 5)
    fail(fmt::format("wire type {} in field {}", wire, field), "0, 1, 2, 5");
  field_ = static_cast<std::uint32_t>(field);
  wire_ = static_cast<Wire>(wire);
  return true;
}

std::uint64_t ProtobufMessage::raw_varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (left() == 0) fail("a number that goes on past the end of its message");
    const auto byte = reader_->u8();
    if (shift == 63 && byte > 1) break;
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  fail("a number of more than 64 bits");
}

std::size_t ProtobufMessage::length() {
  const auto count = raw_varint();
  if (count > left()) fail(fmt::format("a field of {} bytes where {} are left", count, left()));
  return static_cast<std::size_t>(count);
}

void ProtobufMessage::expect(Wire wire) const {
  if (wire_ == wire) return;
  fail(fmt::format("{} in field {}", name_of(static_cast<std::uint32_t>(wire_)), field_),
       name_of(static_cast<std::uint32_t>(wire)));
}

std::uint64_t ProtobufMessage::varint() {
  expect(Wire::varint);
  return raw_varint();
}

float ProtobufMessage::float32() {
  std::vector<float> one;
  append_fixed(one, 1, Wire::fixed32);
  return one.empty() ? 0.0f : one.front();
}

double ProtobufMessage::float64() {
  std::vector<double> one;
  append_fixed(one, 1, Wire::fixed64);
  return one.empty() ? 0.0 : one.front();
}

std::span<const std::byte> ProtobufMessage::bytes() {
  expect(Wire::bytes);
  return reader_->take(length());
}

std::string_view ProtobufMessage::text() {
  const auto content = bytes();
  return {reinterpret_cast<const char*>(content.data()), content.size()};
}

ProtobufMessage ProtobufMessage::message() {
  expect(Wire::bytes);
  if (depth_ >= kDeepest) fail("messages nested too deep", fmt::format("{} levels", kDeepest));
  const auto count = length();
  return {*reader_, reader_->position() + count, depth_ + 1};
}

void ProtobufMessage::skip() {
  switch (wire_) {
    case Wire::varint:
      raw_varint();
      return;
    case Wire::fixed64:
    case Wire::fixed32: {
      const std::size_t count = wire_ == Wire::fixed64 ? 8 : 4;
      if (count > left()) fail("a number that goes on past the end of its message");
      reader_->take(count);
      return;
    }
    case Wire::bytes:
      reader_->take(length());
      return;
  }
}

void ProtobufMessage::append(std::vector<std::int64_t>& list, std::size_t limit) {
  const auto add = [&](std::uint64_t value) {
    if (list.size() >= limit) fail("a list too long", fmt::format("at most {} numbers", limit));
    list.push_back(static_cast<std::int64_t>(value));
  };
  if (wire_ == Wire::varint) return add(raw_varint());
  auto packed = message();
  while (packed.left() > 0) add(packed.raw_varint());
}

template <typename T>
void ProtobufMessage::append_fixed(std::vector<T>& list, std::size_t limit, Wire wire) {
  std::size_t count = sizeof(T);
  if (wire_ == Wire::bytes) {
    count = length();
  } else {
    expect(wire);
    if (count > left()) fail("a number that goes on past the end of its message");
  }
  if (count % sizeof(T) != 0) fail(fmt::format("{} bytes of packed numbers", count), "whole numbers");
  const auto added = count / sizeof(T);
  if (list.size() + added > limit) fail("a list too long", fmt::format("at most {} numbers", limit));
  const auto content = reader_->take(count);
  const auto before = list.size();
  list.resize(before + added);
  if (count > 0) std::memcpy(list.data() + before, content.data(), count);
}

void ProtobufMessage::append(std::vector<float>& list, std::size_t limit) {
  append_fixed(list, limit, Wire::fixed32);
}

void ProtobufMessage::append(std::vector<double>& list, std::size_t limit) {
  append_fixed(list, limit, Wire::fixed64);
}

}  // namespace compress
