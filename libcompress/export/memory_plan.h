// The arena: buffers with lifetimes get offsets so that no two that are alive at once overlap.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace compress {

/// Bytes that must be kept from step `first` to step `last`, both included.
struct Buffer {
  std::int64_t bytes = 0;  ///< at least 1
  std::int64_t first = 0, last = 0;
};

struct ArenaLayout {
  std::vector<std::int64_t> offsets;  ///< one a buffer, multiples of the alignment
  std::int64_t bytes = 0;             ///< the end of the highest buffer
  bool minimal = false;               ///< proven: no layout with this alignment is smaller
};

struct LayoutOptions {
  std::int64_t alignment = 16;
  std::size_t exact_up_to = 12;           ///< networks of at most so many buffers are searched exactly ...
  std::int64_t search_steps = 2'000'000;  ///< ... within this many placements
};

/// The best of three greedy layouts (by size, by lifetime, by breadth), improved by branch and bound where
/// the number of buffers allows it. Deterministic.
ArenaLayout lay_out(std::span<const Buffer> buffers, const LayoutOptions& options = {});

/// No layout can be smaller: the most bytes that are alive in one step, gaps for the alignment included.
std::int64_t lower_bound_bytes(std::span<const Buffer> buffers, std::int64_t alignment);

/// What is wrong with a layout ("buffers 1 and 4 overlap in step 3"), or empty. Independent of lay_out().
std::string flaw_of(std::span<const Buffer> buffers, const ArenaLayout& layout, std::int64_t alignment);

}  // namespace compress
