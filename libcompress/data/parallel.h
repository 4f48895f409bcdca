// A loop over independent items on a few threads.
#pragma once

#include <cstddef>
#include <functional>

namespace compress {

/// Calls `work(i)` for i in 0 .. count - 1, each once, on at most as many threads as the machine has cores
/// (and 8). The first exception stops the loop and is thrown again here.
void for_each_in_parallel(std::size_t count, const std::function<void(std::size_t)>& work);

}  // namespace compress
