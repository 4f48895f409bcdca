#include "libcompress/data/containers.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace compress {
namespace {

using Bytes = std::span<const std::byte>;

bool has_at(Bytes file, std::size_t offset, std::string_view text) {
  if (offset > file.size() || file.size() - offset < text.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (static_cast<char>(file[offset + i]) != text[i]) return false;
  return true;
}

std::uint32_t little_endian_32(Bytes file, std::size_t offset) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::to_integer<std::uint32_t>(file[offset + i]) << (8 * i);
  return value;
}

std::string wav_fault(Bytes file) {
  std::size_t offset = 12;  // after "RIFF", its size and "WAVE"
  while (file.size() - offset >= 8) {
    const std::size_t claimed = little_endian_32(file, offset + 4);
    const std::size_t there = file.size() - offset - 8;
    if (has_at(file, offset, "data")) {
      if (claimed <= there) return {};
      return fmt::format("cut off: its header promises {} bytes of sound and {} are there", claimed, there);
    }
    if (claimed > there) break;
    offset += 8 + claimed;
    if (claimed % 2 == 1 && offset < file.size()) ++offset;  // chunks are padded to an even size
  }
  return "cut off: it has no data chunk";
}

constexpr std::array<std::uint32_t, 256> ogg_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t rest = i << 24;
    for (int bit = 0; bit < 8; ++bit) rest = (rest << 1) ^ ((rest & 0x80000000U) ? 0x04c11db7U : 0);
    table[i] = rest;
  }
  return table;
}

/// CRC of a page with its own CRC field (bytes 22 .. 25) taken as zero.
std::uint32_t ogg_page_crc(Bytes page) {
  static constexpr auto kTable = ogg_crc_table();
  std::uint32_t crc = 0;
  for (std::size_t i = 0; i < page.size(); ++i) {
    const auto byte = i >= 22 && i < 26 ? 0 : std::to_integer<std::uint32_t>(page[i]);
    crc = (crc << 8) ^ kTable[((crc >> 24) ^ byte) & 0xff];
  }
  return crc;
}

std::string ogg_fault(Bytes file) {
  constexpr std::size_t kHeader = 27;
  constexpr unsigned kEndOfStream = 4;
  bool ended = false;
  for (std::size_t offset = 0; offset < file.size();) {
    if (!has_at(file, offset, "OggS")) return fmt::format("damaged: no Ogg page starts at byte {}", offset);
    const Bytes rest = file.subspan(offset);
    const std::size_t segments = rest.size() < kHeader ? 0 : std::to_integer<std::size_t>(rest[26]);
    if (rest.size() < kHeader + segments) return fmt::format("cut off in the Ogg page at byte {}", offset);
    std::size_t size = kHeader + segments;
    for (const auto lacing : rest.subspan(kHeader, segments)) size += std::to_integer<std::size_t>(lacing);
    if (rest.size() < size) return fmt::format("cut off in the Ogg page at byte {}", offset);
    if (ogg_page_crc(rest.first(size)) != little_endian_32(rest, 22))
      return fmt::format("damaged: the Ogg page at byte {} has a wrong CRC", offset);
    ended = (std::to_integer<unsigned>(rest[5]) & kEndOfStream) != 0;
    offset += size;
  }
  return ended ? "" : "cut off: its Ogg stream has no end";
}

}  // namespace

std::string container_fault(Bytes file) {
  if (file.empty()) return "an empty file";
  if (has_at(file, 0, "RIFF") && has_at(file, 8, "WAVE")) return wav_fault(file);
  if (has_at(file, 0, "OggS")) return ogg_fault(file);
  if (has_at(file, 0, "fLaC")) return {};
  return "not a WAV, FLAC or Ogg file";
}

}  // namespace compress
