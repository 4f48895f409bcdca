// The wire format of protocol buffers, read field by field without a schema and without copying.
//
// A message is a sequence of (tag, content); the tag holds a field number and one of four wire types. Who
// reads knows from the number what the content means, and skips what it does not know:
//
//   while (message.next()) {
//     switch (message.field()) {
//       case 1: name = message.text(); break;
//       default: message.skip();
//     }
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libcompress/import/bytes.h"

namespace compress {

/// One message, a range of the bytes that `reader` is in. Every length is checked against the end of the
/// message it lies in before anything is touched or made; damage is an Error of kind input with the byte's
/// position.
class ProtobufMessage {
 public:
  /// All of `reader`, which must outlive the message.
  explicit ProtobufMessage(ByteReader& reader);

  /// Moves to the next field; false at the end. The content of the last field must have been read or skipped.
  bool next();
  std::uint32_t field() const { return field_; }

  /// The content of the present field; an Error if it is of another wire type.
  std::uint64_t varint();
  std::int64_t integer() { return static_cast<std::int64_t>(varint()); }
  float float32();
  double float64();
  std::span<const std::byte> bytes();
  std::string_view text();
  ProtobufMessage message();  ///< read it to its end before going on with this one
  void skip();

  /// Repeated numbers, packed into one field or one a field, are appended to `list`, which may grow up to
  /// `limit`.
  void append(std::vector<std::int64_t>& list, std::size_t limit);
  void append(std::vector<float>& list, std::size_t limit);
  void append(std::vector<double>& list, std::size_t limit);

  /// Error of kind input at the present position.
  [[noreturn]] void fail(const std::string& found, const std::string& allowed = "") const;

 private:
  enum class Wire : std::uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

  ProtobufMessage(ByteReader& reader, std::size_t end, int depth);
  std::uint64_t raw_varint();
  std::size_t length();
  std::size_t left() const { return end_ - reader_->position(); }
  void expect(Wire wire) const;
  template <typename T>
  void append_fixed(std::vector<T>& list, std::size_t limit, Wire wire);

  ByteReader* reader_;
  std::size_t end_;
  int depth_ = 0;
  std::uint32_t field_ = 0;
  Wire wire_ = Wire::varint;
};

}  // namespace compress
