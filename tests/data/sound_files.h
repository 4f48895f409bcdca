// Helpers of the tests of this folder: scratch folders and sound files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "libcompress/base/error.h"

namespace compress::testing {

/// A folder of its own that goes when this object goes.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// `count` samples of a tone of `hz` at half of full scale.
std::vector<float> tone(double hz, double rate, std::size_t count);

/// Writes a sound file; the name's ending picks the format: wav (16 bit), float.wav, flac, ogg. `samples` are
/// interleaved.
void write_sound(const std::filesystem::path& path, std::span<const float> samples, int rate,
                 int channels = 1);

void write_bytes(const std::filesystem::path& path, std::span<const std::byte> bytes);
std::vector<std::byte> bytes_of(const std::filesystem::path& path);

/// The message of the Error of this kind that `call` throws, or a text that says what came instead.
std::string complaint(ErrorKind kind, const std::function<void()>& call);

}  // namespace compress::testing
