// Counts what the test program allocates, so that a test can say how much a reader may take.
#pragma once

#include <cstddef>

namespace compress {

/// Bytes that operator new has handed out and not taken back, of the whole program.
std::size_t bytes_in_use();

/// The largest bytes_in_use() since reset_peak().
std::size_t peak_bytes();
void reset_peak();

}  // namespace compress
