// The program that measures an exported network on a board of QEMU, as text: what the board needs, a main()
// that prints one line a figure, and the network's sources with a clock around every layer.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libcompress/export/board.h"

namespace compress {

/// A source whose layers are measured. The layers are numbered as in `functions`.
struct MeasuredSource {
  std::string text;
  std::vector<std::string> functions;  ///< "layer_03_conv2", in the order of their definitions
};

/// Puts every call of a layer function (static void layer_..., as the C writer names them) into
/// BENCH_MEASURED.
MeasuredSource measured_source(std::string_view source);

/// bench.h, bench_startup.c, bench_program.c and bench.ld for a network of this name.
std::map<std::string, std::string> bench_files(const std::string& name, const Board& board,
                                               std::size_t layers);

}  // namespace compress
