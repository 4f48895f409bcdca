// The zip container of PyTorch files, read strictly and without extracting anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace compress {

/// A zip archive in memory (PKWARE APPNOTE 6.3, with zip64). Accepted: one disk, stored (uncompressed)
/// entries, unique names, entries that do not overlap, local headers that agree with the central directory.
/// Everything else is an Error of kind input. Names are keys only; nothing is ever written under them.
class ZipArchive {
 public:
  /// Borrows `bytes`. `name` opens every message. At most 200,000 entries.
  ZipArchive(std::span<const std::byte> bytes, std::string name);

  bool has(std::string_view entry) const { return entries_.contains(entry); }

  /// The entry's content after its CRC-32 has been checked. Error of kind input if it is missing, damaged or
  /// compressed (torch.save stores its entries as they are, which also rules out zip bombs).
  std::span<const std::byte> read(std::string_view entry) const;

  struct Entry {
    std::uint64_t header_offset = 0;  ///< of the local header
    std::uint64_t data_offset = 0;
    std::uint64_t size = 0;  ///< bytes in the archive
    std::uint32_t crc = 0;
    bool stored = true;  ///< not compressed
  };
  const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }

 private:
  std::span<const std::byte> bytes_;
  std::string name_;
  std::map<std::string, Entry, std::less<>> entries_;
};

/// Whether `bytes` begin like a zip archive.
bool is_zip(std::span<const std::byte> bytes);

}  // namespace compress
