// Checks on sound files that libsndfile does not make: it plays a damaged or cut off file as far as it goes.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace compress {

/// What is wrong with the container of a WAV, FLAC or Ogg file, as a sentence's middle ("cut off: ..."), or
/// empty. WAV: the data chunk lies whole in the file. Ogg (RFC 3533): every page is whole, has the right CRC,
/// and the last one ends its stream. FLAC is only told by its first bytes; its decoder checks the frames.
std::string container_fault(std::span<const std::byte> file);

}  // namespace compress
