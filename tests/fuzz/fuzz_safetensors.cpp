// Any bytes as safetensors: they are refused with an Error of kind input, or what was read can be written and
// gives the same tensors again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "libcompress/base/error.h"
#include "libcompress/import/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace compress;
  StateFile file;
  try {
    file = parse_safetensors({reinterpret_cast<const std::byte*>(data), size}, "f");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) std::abort();
    return 0;
  }
  const auto bytes = format_safetensors(file.tensors, file.metadata);
  const auto again =
      parse_safetensors({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, "again");
  if (format_safetensors(again.tensors, again.metadata) != bytes) std::abort();
  return 0;
}
