// Sound files as numbers: decoded, mixed down to one channel, resampled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace compress {

/// What a sound file may ask for before it is refused; guards memory and time against hostile headers.
struct AudioLimits {
  double seconds = 600;
  int channels = 16;
  std::int64_t lowest_rate = 1000;     ///< Hz
  std::int64_t highest_rate = 768000;  ///< Hz
};

/// One channel, full scale -1 .. 1 (lossy codecs may go a little beyond).
struct Audio {
  std::vector<float> samples;
  std::int64_t sample_rate = 0;  ///< Hz
};

/// Decodes the content of a WAV, FLAC or Ogg (Vorbis, Opus) file; several channels are averaged. Error of
/// kind input, opening with `where`, for anything else, for a damaged, cut off or empty file, for samples
/// that are not finite, and beyond the limits.
Audio decode_audio(std::span<const std::byte> file, std::string_view where, const AudioLimits& limits = {});

/// decode_audio of a file. Error of kind io if it cannot be read.
Audio read_audio(const std::filesystem::path& path, const AudioLimits& limits = {});

/// Band-limited rate conversion (libsoxr, quality HQ: 20 bit). Returns the samples as they are if the rates
/// agree.
std::vector<float> resample(std::span<const float> samples, std::int64_t from_rate, std::int64_t to_rate);

/// Rounded to 16 bits, full scale 32768, clipped.
std::vector<std::int16_t> to_int16(std::span<const float> samples);

}  // namespace compress
