// Any bytes as .npy or .npz: they are refused with an Error of kind input, or every array has the bytes that
// its shape says.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "libcompress/base/error.h"
#include "libcompress/import/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace compress;
  try {
    for (const auto& [name, array] : parse_arrays({reinterpret_cast<const std::byte*>(data), size}, "f")) {
      if (array.bytes().size() != array.byte_count()) std::abort();
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) std::abort();
  }
  return 0;
}
