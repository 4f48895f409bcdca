#include "libcompress/import/zip.h"

#include <fmt/format.h>
// zlib has a function `compress` in the global namespace, where our namespace of that name cannot stand
// beside it.
#define compress zlib_compress
#include <zlib.h>
#undef compress

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "libcompress/base/error.h"
#include "libcompress/import/bytes.h"

namespace compress {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kCentralHeader = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50;
constexpr std::uint32_t kEnd64Locator = 0x07064b50;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kEnd64LocatorSize = 20;
constexpr std::size_t kEnd64Size = 56;

constexpr std::uint16_t kSizesFollowData = 1u << 3;
constexpr std::uint16_t kUtf8Names = 1u << 11;
constexpr std::uint16_t kZip64Extra = 1;
constexpr std::uint16_t kMask16 = 0xffff;
constexpr std::uint32_t kMask32 = 0xffffffff;
constexpr std::uint64_t kMostEntries = 200'000;

struct Directory {
  std::uint64_t entries = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// One header of the central directory, or the part of a local header that it must agree with.
struct Header {
  std::string name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::uint64_t packed_size = 0;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
};

/// The record that closes the archive lies at the very end, before a comment that it gives the length of.
std::size_t find_end(ByteReader& reader) {
  const auto size = reader.size();
  const auto deepest = std::min<std::size_t>(size, kEndSize + kMask16);
  for (std::size_t back = kEndSize; back <= deepest; ++back) {
    reader.seek(size - back);
    if (reader.u32() != kEnd) continue;
    reader.seek(size - back + 20);
    if (reader.u16() == back - kEndSize) return size - back;
  }
  reader.seek(0);
  reader.fail("a zip archive without its closing record", "",
              "the file looks cut short; fetch or save it again");
}

Directory read_end(ByteReader& reader, std::size_t at) {
  reader.seek(at + 4);
  const auto disk = reader.u16(), directory_disk = reader.u16();
  const auto here = reader.u16(), total = reader.u16();
  if (disk != 0 || directory_disk != 0 || here != total)
    reader.fail("a zip archive in several parts", "one part");
  const std::uint64_t size = reader.u32();
  const std::uint64_t offset = reader.u32();
  return {total, offset, size};
}

/// The 64-bit record, whose numbers replace those of the 32-bit one that are at their maximum.
Directory read_end64(ByteReader& reader, std::size_t locator, const Directory& narrow, std::size_t& end) {
  reader.seek(locator + 4);
  const auto disk = reader.u32();
  const auto offset = reader.u64();
  const auto disks = reader.u32();
  if (disk != 0 || disks != 1) reader.fail("a zip archive in several parts", "one part");
  if (offset > locator || locator - offset < kEnd64Size)
    reader.fail("the zip64 record is not where it should be");
  reader.seek(offset);
  if (reader.u32() != kEnd64) reader.fail("the zip64 record is not where it should be");
  if (reader.u64() != locator - offset - 12) reader.fail("a zip64 record of the wrong size");
  reader.take(12);  // versions and disk numbers
  const auto here = reader.u64();
  Directory wide;
  wide.entries = reader.u64();
  wide.size = reader.u64();
  wide.offset = reader.u64();
  const bool agree = (narrow.entries == kMask16 || narrow.entries == wide.entries) &&
                     (narrow.size == kMask32 || narrow.size == wide.size) &&
                     (narrow.offset == kMask32 || narrow.offset == wide.offset) && here == wide.entries;
  if (!agree) reader.fail("the two closing records of the zip archive disagree");
  end = static_cast<std::size_t>(offset);
  return wide;
}

Directory find_directory(ByteReader& reader) {
  auto end = find_end(reader);
  auto directory = read_end(reader, end);
  if (end >= kEnd64LocatorSize) {
    const auto locator = end - kEnd64LocatorSize;
    reader.seek(locator);
    if (reader.u32() == kEnd64Locator) directory = read_end64(reader, locator, directory, end);
  }
  if (directory.entries > kMostEntries)
    reader.fail(fmt::format("{} zip entries", directory.entries), fmt::format("at most {}", kMostEntries));
  if (directory.offset > end || end - directory.offset != directory.size)
    reader.fail("a zip directory that does not end where the closing record begins");
  return directory;
}

/// Replaces the sizes that are at their 32-bit maximum by those of the zip64 extra field.
void widen(Header& header, std::span<const std::byte> extra, const std::string& file) {
  ByteReader reader(extra, fmt::format("{}: extra field of {}", file, in_quotes(header.name)));
  while (reader.remaining() >= 4) {
    const auto id = reader.u16();
    const auto length = reader.u16();
    ByteReader field(reader.take(length), reader.name());
    if (id != kZip64Extra) continue;
    for (auto* value : {&header.size, &header.packed_size, &header.offset})
      if (*value == kMask32) *value = field.u64();
  }
}

Header read_central(ByteReader& reader) {
  if (reader.u32() != kCentralHeader) reader.fail("no zip directory entry where one should be");
  Header header;
  reader.take(4);  // versions
  header.flags = reader.u16();
  header.method = reader.u16();
  reader.take(4);  // time and date
  header.crc = reader.u32();
  header.packed_size = reader.u32();
  header.size = reader.u32();
  const auto name_length = reader.u16(), extra_length = reader.u16(), comment_length = reader.u16();
  if (reader.u16() != 0) reader.fail("a zip archive in several parts", "one part");
  reader.take(6);  // attributes
  header.offset = reader.u32();
  header.name = reader.text(name_length);
  const auto extra = reader.take(extra_length);
  reader.take(comment_length);
  widen(header, extra, reader.name());
  return header;
}

/// The local header repeats the central one, and the content follows it. Gives the offset of the content.
std::uint64_t check_local(ByteReader& reader, const Header& central) {
  reader.seek(central.offset);
  const auto disagree = [&] {
    reader.fail(fmt::format("the two headers of zip entry {} disagree", in_quotes(central.name)));
  };
  if (reader.u32() != kLocalHeader) disagree();
  reader.take(2);  // version
  const auto flags = reader.u16(), method = reader.u16();
  reader.take(4);  // time and date
  Header local;
  local.crc = reader.u32();
  local.packed_size = reader.u32();
  local.size = reader.u32();
  const auto name_length = reader.u16(), extra_length = reader.u16();
  local.name = reader.text(name_length);
  const auto extra = reader.take(extra_length);
  if (flags != central.flags || method != central.method || local.name != central.name) disagree();
  if (!(flags & kSizesFollowData)) {
    widen(local, extra, reader.name());
    if (local.crc != central.crc || local.size != central.size || local.packed_size != central.packed_size)
      disagree();
  }
  return reader.position();
}

void check_plain(const ByteReader& reader, const Header& header) {
  if (header.flags & ~(kSizesFollowData | kUtf8Names))
    reader.fail(fmt::format("zip entry {} is encrypted or otherwise special", in_quotes(header.name)),
                "plain entries");
}

/// Entries that share bytes are the trick behind zip bombs and behind archives that two readers see
/// differently.
void check_apart(const std::map<std::string, ZipArchive::Entry, std::less<>>& entries,
                 const std::string& file) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  ranges.reserve(entries.size());
  for (const auto& [name, entry] : entries)
    ranges.emplace_back(entry.header_offset, entry.data_offset + entry.size);
  std::sort(ranges.begin(), ranges.end());
  for (std::size_t i = 1; i < ranges.size(); ++i)
    if (ranges[i].first < ranges[i - 1].second)
      throw Error(ErrorKind::input,
                  {file, fmt::format("zip entries overlap at byte {}", ranges[i].first), "", ""});
}

}  // namespace

bool is_zip(std::span<const std::byte> bytes) {
  std::uint32_t signature = 0;
  if (bytes.size() < sizeof(signature)) return false;
  std::memcpy(&signature, bytes.data(), sizeof(signature));
  return signature == kLocalHeader;
}

ZipArchive::ZipArchive(std::span<const std::byte> bytes, std::string name)
    : bytes_(bytes), name_(std::move(name)) {
  ByteReader whole(bytes_, name_);
  const auto directory = find_directory(whole);
  const auto end = static_cast<std::size_t>(directory.offset + directory.size);
  ByteReader reader(bytes_.first(end), name_);
  reader.seek(directory.offset);
  ByteReader contents(bytes_.first(static_cast<std::size_t>(directory.offset)), name_);
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    const auto header = read_central(reader);
    check_plain(reader, header);
    const auto data_offset = check_local(contents, header);
    contents.take(header.packed_size);
    const bool stored = header.method == 0 && header.packed_size == header.size;
    const Entry entry{header.offset, data_offset, header.packed_size, header.crc, stored};
    if (!entries_.emplace(header.name, entry).second)
      reader.fail(fmt::format("two zip entries named {}", in_quotes(header.name)), "one");
  }
  if (reader.remaining() != 0) reader.fail("a zip directory longer than its entries");
  check_apart(entries_, name_);
}

std::span<const std::byte> ZipArchive::read(std::string_view entry) const {
  const auto found = entries_.find(entry);
  if (found == entries_.end())
    throw Error(ErrorKind::input,
                {name_, fmt::format("no zip entry {}", in_quotes(entry)), "", "the file is incomplete"});
  const auto& [header_offset, data_offset, size, crc, stored] = found->second;
  if (!stored)
    throw Error(ErrorKind::input,
                {fmt::format("{}: zip entry {}", name_, in_quotes(entry)), "it is compressed",
                 "stored entries, as torch.save writes", "load the file in PyTorch and save it again"});
  const auto content = bytes_.subspan(static_cast<std::size_t>(data_offset), static_cast<std::size_t>(size));
  const auto actual = ::crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());
  if (actual != crc)
    throw Error(ErrorKind::input, {fmt::format("{}: zip entry {}", name_, in_quotes(entry)),
                                   fmt::format("its CRC-32 is {:08x} and should be {:08x}", actual, crc), "",
                                   "the file is damaged; fetch or save it again"});
  return content;
}

}  // namespace compress
