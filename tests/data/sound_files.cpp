#include "tests/data/sound_files.h"

#include <sndfile.h>
#include <stdlib.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <numbers>
#include <stdexcept>

namespace compress::testing {
namespace {

int format_of(const std::string& name) {
  if (name.ends_with(".flac")) return SF_FORMAT_FLAC | SF_FORMAT_PCM_16;
  if (name.ends_with(".ogg")) return SF_FORMAT_OGG | SF_FORMAT_VORBIS;
  if (name.ends_with(".float.wav")) return SF_FORMAT_WAV | SF_FORMAT_FLOAT;
  return SF_FORMAT_WAV | SF_FORMAT_PCM_16;
}

}  // namespace

Scratch::Scratch() {
  auto pattern = (std::filesystem::temp_directory_path() / "libcompress-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no scratch folder");
  path_ = pattern;
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<float> tone(double hz, double rate, std::size_t count) {
  std::vector<float> samples(count);
  for (std::size_t i = 0; i < count; ++i)
    samples[i] =
        static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate));
  return samples;
}

void write_sound(const std::filesystem::path& path, std::span<const float> samples, int rate, int channels) {
  std::filesystem::create_directories(path.parent_path());
  SF_INFO info{};
  info.samplerate = rate;
  info.channels = channels;
  info.format = format_of(path.filename().string());
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  if (file == nullptr) throw std::runtime_error(sf_strerror(nullptr));
  sf_writef_float(file, samples.data(), static_cast<sf_count_t>(samples.size()) / channels);
  sf_close(file);
}

void write_bytes(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

std::vector<std::byte> bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::string complaint(ErrorKind kind, const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.kind() == kind
               ? error.what()
               : std::string("an error of kind ") + name_of(error.kind()) + ": " + error.what();
  }
  return "no error";
}

}  // namespace compress::testing
