// Reading numbers and text out of foreign bytes, never past their end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace compress {

/// A cursor over little-endian bytes it does not own. Every read is checked against the end first; a read
/// past it is an Error of kind input that names the file and the byte.
class ByteReader {
 public:
  /// `name` opens every message: the file's path, or "model.pt: data.pkl".
  ByteReader(std::span<const std::byte> bytes, std::string name);

  std::uint8_t u8();
  std::uint16_t u16();
  std::uint32_t u32();
  std::uint64_t u64();
  std::int64_t i64();

  /// The next `count` bytes, without a copy. `count` may be any number a file claims.
  std::span<const std::byte> take(std::uint64_t count);
  /// The same as text, without a look at its encoding.
  std::string_view text(std::uint64_t count);
  /// Text up to the next line feed, which is consumed; at most `limit` bytes.
  std::string_view line(std::size_t limit);

  /// Moves to an absolute position, at most size().
  void seek(std::uint64_t position);

  std::size_t position() const { return position_; }
  std::size_t size() const { return bytes_.size(); }
  std::size_t remaining() const { return bytes_.size() - position_; }
  const std::string& name() const { return name_; }

  /// "model.pt, byte 12".
  std::string where() const;
  /// Error of kind input at the present position.
  [[noreturn]] void fail(const std::string& found, const std::string& allowed = "",
                         const std::string& remedy = "") const;

 private:
  template <typename T>
  T number();

  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
  std::string name_;
};

/// A name from a file, in single quotes and fit to print: cut at 80 bytes, control characters replaced.
std::string in_quotes(std::string_view name);

/// Whether `text` is well-formed UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view text);

}  // namespace compress
