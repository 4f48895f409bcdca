// Decoded sounds kept on disk, so that a second run does not decode and resample again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace compress {

/// A folder of entries by key. A cache never makes a run fail: a damaged entry counts as absent and an entry
/// that cannot be written is left out. Methods may be called from several threads and processes.
///
/// Entry `KEY.pcm`, little-endian: 8 bytes "LCPCM01\n", 32 hexadecimal digits of the key, 32 of the samples'
/// XXH3-128, uint64 count, then count int16 samples.
class AudioCache {
 public:
  /// Without a folder nothing is found and nothing stored. The folder is made when first needed.
  explicit AudioCache(std::filesystem::path folder = {}) : folder_(std::move(folder)) {}

  /// $XDG_CACHE_HOME/libcompress/audio, else ~/.cache/libcompress/audio, else empty.
  static std::filesystem::path default_folder();

  /// The key of a file's content treated with `parameters`.
  static std::string key(std::span<const std::byte> file, std::string_view parameters);

  std::optional<std::vector<std::int16_t>> find(const std::string& key) const;
  void store(const std::string& key, std::span<const std::int16_t> samples) const;

  std::filesystem::path entry_path(const std::string& key) const { return folder_ / (key + ".pcm"); }

 private:
  std::filesystem::path folder_;
};

}  // namespace compress
