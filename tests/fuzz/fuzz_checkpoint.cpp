// Any bytes as a checkpoint: they are read, or refused with an Error of kind input. The older PyTorch format
// has no checksums, so the fuzzer reaches the pickle machine and the tensors through it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "libcompress/base/error.h"
#include "libcompress/import/checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto checkpoint = compress::parse_checkpoint({reinterpret_cast<const std::byte*>(data), size}, "f");
    compress::check_finite(checkpoint.tensors, "f");
  } catch (const compress::Error& error) {
    if (error.kind() != compress::ErrorKind::input) std::abort();
  }
  return 0;
}
