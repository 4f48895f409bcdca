#include "libcompress/data/cache.h"

#include <bit>
#include <cstdlib>
#include <cstring>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"

namespace compress {
namespace {

static_assert(std::endian::native == std::endian::little, "cache entries are little-endian");

constexpr std::string_view kMagic = "LCPCM01\n";
constexpr std::size_t kDigits = 32;
constexpr std::size_t kHeader = kMagic.size() + 2 * kDigits + sizeof(std::uint64_t);
constexpr std::uint64_t kEntryLimitBytes = std::uint64_t{1} << 31;

std::string header_of(const std::string& key, std::span<const std::int16_t> samples) {
  const std::uint64_t count = samples.size();
  std::string header = std::string(kMagic) + key + content_hash(std::as_bytes(samples));
  header.append(reinterpret_cast<const char*>(&count), sizeof count);
  return header;
}

}  // namespace

std::filesystem::path AudioCache::default_folder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::filesystem::path(value == nullptr ? "" : value);
  };
  if (const auto cache = variable("XDG_CACHE_HOME"); cache.is_absolute())
    return cache / "libcompress" / "audio";
  if (const auto home = variable("HOME"); home.is_absolute())
    return home / ".cache" / "libcompress" / "audio";
  return {};
}

std::string AudioCache::key(std::span<const std::byte> file, std::string_view parameters) {
  return content_hash(content_hash(file) + " " + std::string(parameters));
}

std::optional<std::vector<std::int16_t>> AudioCache::find(const std::string& key) const {
  std::error_code absent;
  if (folder_.empty() || !std::filesystem::is_regular_file(entry_path(key), absent)) return std::nullopt;
  try {
    const auto bytes = read_bytes(entry_path(key), kEntryLimitBytes);
    if (bytes.size() < kHeader || (bytes.size() - kHeader) % sizeof(std::int16_t) != 0) return std::nullopt;
    std::vector<std::int16_t> samples((bytes.size() - kHeader) / sizeof(std::int16_t));
    if (!samples.empty()) std::memcpy(samples.data(), bytes.data() + kHeader, bytes.size() - kHeader);
    const auto expected = header_of(key, samples);
    if (std::memcmp(bytes.data(), expected.data(), kHeader) != 0) return std::nullopt;
    return samples;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void AudioCache::store(const std::string& key, std::span<const std::int16_t> samples) const {
  if (folder_.empty()) return;
  std::string entry = header_of(key, samples);
  entry.append(reinterpret_cast<const char*>(samples.data()), samples.size_bytes());
  try {
    write_file(entry_path(key), entry);
  } catch (const Error&) {
    // A full disk or a read-only folder costs the next run some seconds, nothing else.
  }
}

}  // namespace compress
