#include "libcompress/data/audio.h"

#include <fmt/format.h>
#include <sndfile.h>
#include <soxr.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/data/containers.h"

namespace compress {
namespace {

constexpr std::uint64_t kFileLimitBytes = std::uint64_t{1} << 29;

[[noreturn]] void refuse(std::string_view where, std::string found, std::string allowed = {}) {
  throw Error(ErrorKind::input, {std::string(where), std::move(found), std::move(allowed),
                                 "replace the file by a whole WAV, FLAC or Ogg recording"});
}

/// The file's bytes as libsndfile's virtual file.
struct Source {
  std::span<const std::byte> bytes;
  sf_count_t position = 0;

  sf_count_t size() const { return static_cast<sf_count_t>(bytes.size()); }

  static Source& of(void* user) { return *static_cast<Source*>(user); }

  static sf_count_t length(void* user) { return of(user).size(); }
  static sf_count_t tell(void* user) { return of(user).position; }
  static sf_count_t write(const void*, sf_count_t, void*) { return 0; }

  static sf_count_t seek(sf_count_t offset, int whence, void* user) {
    auto& self = of(user);
    const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? self.position : self.size();
    if (offset < -base || offset > self.size() - base) return -1;
    return self.position = base + offset;
  }

  static sf_count_t read(void* into, sf_count_t count, void* user) {
    auto& self = of(user);
    const sf_count_t there = std::clamp<sf_count_t>(count, 0, self.size() - self.position);
    if (there > 0) std::memcpy(into, self.bytes.data() + self.position, static_cast<std::size_t>(there));
    self.position += there;
    return there;
  }
};

struct Close {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using Handle = std::unique_ptr<SNDFILE, Close>;

void check_header(const SF_INFO& info, std::string_view where, const AudioLimits& limits) {
  if (info.channels < 1 || info.channels > limits.channels)
    refuse(where, fmt::format("{} channels", info.channels), fmt::format("1 to {}", limits.channels));
  if (info.samplerate < limits.lowest_rate || info.samplerate > limits.highest_rate)
    refuse(where, fmt::format("a sample rate of {} Hz", info.samplerate),
           fmt::format("{} to {} Hz", limits.lowest_rate, limits.highest_rate));
  if (info.frames < 1) refuse(where, "a file that holds no sound");
  const double seconds = static_cast<double>(info.frames) / info.samplerate;
  if (seconds > limits.seconds)
    refuse(where, fmt::format("{:.0f} s of sound", seconds), fmt::format("at most {} s", limits.seconds));
}

/// Reads block by block, so that memory grows with what is there and not with what the header claims.
std::vector<float> read_mono(SNDFILE* file, const SF_INFO& info, std::string_view where) {
  constexpr sf_count_t kBlock = 16384;
  const auto channels = static_cast<std::size_t>(info.channels);
  std::vector<float> block(static_cast<std::size_t>(kBlock) * channels);
  std::vector<float> mono;
  while (static_cast<sf_count_t>(mono.size()) < info.frames) {
    const sf_count_t wanted = std::min(kBlock, info.frames - static_cast<sf_count_t>(mono.size()));
    const sf_count_t frames = sf_readf_float(file, block.data(), wanted);
    if (frames <= 0) break;
    for (std::size_t i = 0; i < static_cast<std::size_t>(frames); ++i) {
      float sum = 0;
      for (std::size_t c = 0; c < channels; ++c) sum += block[i * channels + c];
      mono.push_back(sum / static_cast<float>(channels));
    }
  }
  if (static_cast<sf_count_t>(mono.size()) < info.frames)
    refuse(where,
           fmt::format("damaged or cut off: {} of {} samples can be decoded", mono.size(), info.frames));
  return mono;
}

}  // namespace

Audio decode_audio(std::span<const std::byte> file, std::string_view where, const AudioLimits& limits) {
  if (const auto fault = container_fault(file); !fault.empty()) refuse(where, fault);
  Source source{file};
  SF_VIRTUAL_IO calls{Source::length, Source::seek, Source::read, Source::write, Source::tell};
  SF_INFO info{};
  const Handle handle(sf_open_virtual(&calls, SFM_READ, &info, &source));
  if (!handle) refuse(where, fmt::format("not readable as sound ({})", sf_strerror(nullptr)));
  check_header(info, where, limits);
  Audio audio{read_mono(handle.get(), info, where), info.samplerate};
  if (!std::all_of(audio.samples.begin(), audio.samples.end(), [](float x) { return std::isfinite(x); }))
    refuse(where, "samples that are not finite numbers");
  return audio;
}

Audio read_audio(const std::filesystem::path& path, const AudioLimits& limits) {
  return decode_audio(read_bytes(path, kFileLimitBytes), path.string(), limits);
}

std::vector<float> resample(std::span<const float> samples, std::int64_t from_rate, std::int64_t to_rate) {
  if (from_rate == to_rate || samples.empty()) return {samples.begin(), samples.end()};
  const double ratio = static_cast<double>(to_rate) / static_cast<double>(from_rate);
  std::vector<float> out(static_cast<std::size_t>(std::ceil(static_cast<double>(samples.size()) * ratio)) +
                         1);
  const auto quality = soxr_quality_spec(SOXR_HQ, 0);
  std::size_t done = 0;
  const soxr_error_t fault =
      soxr_oneshot(static_cast<double>(from_rate), static_cast<double>(to_rate), 1, samples.data(),
                   samples.size(), nullptr, out.data(), out.size(), &done, nullptr, &quality, nullptr);
  if (fault != nullptr)
    throw Error(ErrorKind::input,
                {fmt::format("resampling from {} to {} Hz", from_rate, to_rate), fault, "", ""});
  out.resize(done);
  return out;
}

std::vector<std::int16_t> to_int16(std::span<const float> samples) {
  std::vector<std::int16_t> out(samples.size());
  std::transform(samples.begin(), samples.end(), out.begin(), [](float x) {
    return static_cast<std::int16_t>(std::lrint(std::clamp(x * 32768.0F, -32768.0F, 32767.0F)));
  });
  return out;
}

}  // namespace compress
