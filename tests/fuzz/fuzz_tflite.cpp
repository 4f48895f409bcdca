// Any bytes as a TensorFlow Lite file, of floats and of 8 bits: they are refused with an Error of kind input,
// or what was read is a valid network.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "libcompress/base/error.h"
#include "libcompress/import/tflite.h"
#include "libcompress/quant/tflite_network.h"

namespace {

template <typename Parse>
void verify_or_refuse(const Parse& parse) {
  try {
    verify(parse());
  } catch (const compress::Error& error) {
    if (error.kind() != compress::ErrorKind::input) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  verify_or_refuse([&] { return compress::parse_tflite(bytes, "f"); });
  verify_or_refuse([&] { return compress::parse_quantized_tflite(bytes, "f"); });
  return 0;
}
