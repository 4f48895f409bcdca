// The boards of QEMU that measurements run on: which processor, and where its memory is.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace compress {

struct MemoryRegion {
  std::uint32_t origin = 0;
  std::int64_t bytes = 0;
};

struct Board {
  std::string name;                ///< QEMU's -M
  std::vector<std::string> cores;  ///< whose code it runs
  MemoryRegion code;               ///< begins with the vector table
  MemoryRegion constants;          ///< may be that of code
  MemoryRegion variables;
};

std::span<const Board> known_boards();

/// nullptr if there is none of this name.
const Board* find_board(std::string_view name);

}  // namespace compress
