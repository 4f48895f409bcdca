#include "libcompress/export/board.h"

#include <algorithm>

namespace compress {
namespace {

constexpr std::int64_t KiB = 1024, MiB = 1024 * KiB;

/// The MPS2 boards of Armv7-M: two memories of 4 MiB.
Board mps2(const std::string& image, std::vector<std::string> cores) {
  const MemoryRegion code{0x00000000, 4 * MiB}, variables{0x20000000, 4 * MiB};
  return {"mps2-" + image, std::move(cores), code, code, variables};
}

/// The boards of Armv8-M start in the secure state, whose view of memory has bit 28 set.
Board mps2_secure(const std::string& image) {
  const MemoryRegion code{0x10000000, 4 * MiB}, variables{0x38000000, 4 * MiB};
  return {"mps2-" + image, {"cortex-m33"}, code, code, variables};
}

}  // namespace

std::span<const Board> known_boards() {
  static const std::vector<Board> kBoards = {
      mps2("an385", {"cortex-m0", "cortex-m3"}),
      mps2("an386", {"cortex-m0", "cortex-m3", "cortex-m4"}),
      mps2("an500", {"cortex-m0", "cortex-m3", "cortex-m4", "cortex-m7"}),
      mps2_secure("an505"),
      {"mps3-an547", {"cortex-m55"}, {0x10000000, 512 * KiB}, {0x11000000, 2 * MiB}, {0x31000000, 4 * MiB}},
  };
  return kBoards;
}

const Board* find_board(std::string_view name) {
  const auto boards = known_boards();
  const auto found =
      std::find_if(boards.begin(), boards.end(), [&](const Board& b) { return b.name == name; });
  return found == boards.end() ? nullptr : &*found;
}

}  // namespace compress
