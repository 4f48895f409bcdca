#include "libcompress/import/bytes.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "libcompress/base/error.h"

namespace compress {

static_assert(std::endian::native == std::endian::little,
              "the readers copy little-endian numbers as they lie");

ByteReader::ByteReader(std::span<const std::byte> bytes, std::string name)
    : bytes_(bytes), name_(std::move(name)) {}

template <typename T>
T ByteReader::number() {
  T value;
  std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
  return value;
}

std::uint8_t ByteReader::u8() { return number<std::uint8_t>(); }
std::uint16_t ByteReader::u16() { return number<std::uint16_t>(); }
std::uint32_t ByteReader::u32() { return number<std::uint32_t>(); }
std::uint64_t ByteReader::u64() { return number<std::uint64_t>(); }
std::int64_t ByteReader::i64() { return number<std::int64_t>(); }

std::span<const std::byte> ByteReader::take(std::uint64_t count) {
  if (count > remaining())
    fail(fmt::format("{} more bytes are needed and {} are left", count, remaining()), "",
         "the file looks cut short");
  const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
  position_ += taken.size();
  return taken;
}

std::string_view ByteReader::text(std::uint64_t count) {
  const auto taken = take(count);
  return {reinterpret_cast<const char*>(taken.data()), taken.size()};
}

std::string_view ByteReader::line(std::size_t limit) {
  const auto window = bytes_.subspan(position_, std::min(remaining(), limit + 1));
  const auto end = std::find(window.begin(), window.end(), std::byte{'\n'});
  if (end == window.end()) fail(fmt::format("a line without an end in {} bytes", window.size()));
  const auto found = text(static_cast<std::uint64_t>(end - window.begin()));
  ++position_;
  return found;
}

void ByteReader::seek(std::uint64_t position) {
  if (position > size()) fail(fmt::format("an offset of {}", position), fmt::format("at most {}", size()));
  position_ = static_cast<std::size_t>(position);
}

std::string ByteReader::where() const { return fmt::format("{}, byte {}", name_, position_); }

void ByteReader::fail(const std::string& found, const std::string& allowed, const std::string& remedy) const {
  throw Error(ErrorKind::input, {where(), found, allowed, remedy});
}

std::string in_quotes(std::string_view name) {
  constexpr std::size_t kLongest = 80;
  const bool cut = name.size() > kLongest;
  const bool readable = !cut && is_utf8(name);
  std::string text = "'";
  for (const char c : name.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool printable = byte >= 0x80 ? readable : byte >= 0x20 && byte != 0x7f;
    text += printable ? c : '?';
  }
  return text + (cut ? "...'" : "'");
}

bool is_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = byte(i);
    const std::size_t length = lead < 0x80       ? 1
                               : lead >> 5 == 6  ? 2
                               : lead >> 4 == 14 ? 3
                               : lead >> 3 == 30 ? 4
                                                 : 0;
    if (length == 0) return false;
    std::uint32_t code = length == 1 ? lead : lead & (0x7fu >> length);
    for (std::size_t k = 1; k < length; ++k) {
      if (byte(i + k) >> 6 != 2) return false;
      code = code << 6 | (byte(i + k) & 0x3fu);
    }
    constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < kSmallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
    i += length;
  }
  return true;
}

}  // namespace compress
