// Any bytes as a TensorFlow Lite file: they are refused with an Error of kind input, or what was read is a
// valid model.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "libcompress/base/error.h"
#include "libcompress/import/tflite.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace compress;
  try {
    verify(parse_tflite({reinterpret_cast<const std::byte*>(data), size}, "f"));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) std::abort();
  }
  return 0;
}
