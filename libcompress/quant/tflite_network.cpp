#include "libcompress/quant/tflite_network.h"

#include <fmt/format.h>

#include <string_view>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/import/bytes.h"
#include "libcompress/import/tflite.h"
#include "libcompress/import/tflite/schema.h"
#include "libcompress/quant/tflite/reader.h"

namespace compress {
namespace {

/// A FlatBuffer cannot be larger.
constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 31;

}  // namespace

QuantizedGraph read_quantized_tflite(const std::filesystem::path& path, const std::string& profile) {
  return parse_quantized_tflite(read_bytes(path, kLargestFile), path.string(), profile);
}

QuantizedGraph parse_quantized_tflite(std::span<const std::byte> bytes, const std::string& name,
                                      const std::string& profile) {
  const auto copy = tflite::aligned_copy(bytes);
  const auto file = tflite::parse_file(copy.empty() ? bytes : std::span(copy), name);
  try {
    return QuantizedTfliteReader(file, profile).run();
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with(name)) throw;
    throw Error(error.kind(), fmt::format("{}: {}", name, error.what()));
  }
}

bool is_quantized_tflite(std::span<const std::byte> bytes, const std::string& name) {
  if (!is_tflite(bytes)) return false;
  const auto copy = tflite::aligned_copy(bytes);
  const auto file = tflite::parse_file(copy.empty() ? bytes : std::span(copy), name);
  return tflite::quantized_tensor(file) != nullptr;
}

}  // namespace compress
