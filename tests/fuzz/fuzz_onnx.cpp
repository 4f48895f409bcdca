// Any bytes as an ONNX file: they are refused with an Error of kind input, or what was read is a valid model.
// There is no folder, so external data cannot be read: an Error of kind io.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "libcompress/base/error.h"
#include "libcompress/import/onnx.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace compress;
  try {
    verify(parse_onnx({reinterpret_cast<const std::byte*>(data), size}, "f", "/nowhere"));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input && error.kind() != ErrorKind::io) std::abort();
  }
  return 0;
}
