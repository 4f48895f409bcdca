// What exported C costs on a microcontroller: built with arm-none-eabi-gcc, run on a board of QEMU that
// counts instructions, compared with the reference.
//
// QEMU runs one instruction a nanosecond of its own time (-icount shift=0), and SysTick measures that time.
// How many instructions a tick is comes from a loop of known length in the same run. Instructions are exact
// to some ticks (20 to 50 instructions each) and the same in every run; they are not cycles.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "libcompress/export/exporter.h"
#include "libcompress/export/target.h"

namespace compress {

struct LayerBench {
  std::string name;   ///< of the node
  std::string title;  ///< "convolution 1x5, stride 1x2"
  std::int64_t macs = 0;
  std::int64_t calls = 0;  ///< of its function in one inference
  std::int64_t instructions = 0;
};

struct BenchResult {
  std::string target, board;
  std::string compiler;  ///< its first line of --version
  std::int64_t inputs = 0;
  std::int64_t instructions = 0;  ///< of the input that takes most
  std::int64_t macs = 0;
  std::int64_t arena_bytes = 0;
  std::int64_t stack_bytes = 0;        ///< as the first input used it, from the call on
  std::int64_t stack_bound_bytes = 0;  ///< no input uses more, but for `stack_not_bounded`; -1: no bound
  std::set<std::string> stack_not_bounded{};  ///< library functions without a known frame
  std::int64_t code_bytes = 0;   ///< of the network as linked, with what it needs of the compiler's libraries
  std::int64_t const_bytes = 0;  ///< its .rodata
  std::vector<LayerBench> layers{};  ///< those that do something, of the same input as `instructions`

  double instructions_per_mac() const {
    return macs > 0 ? static_cast<double>(instructions) / static_cast<double>(macs) : 0;
  }
};

/// Builds `result`, which write_c() made of `request` (with a vector or more), and measures every vector.
/// Error of kind plugin with the remedy if the compiler or QEMU is missing, if the code does not compile or
/// does not fit the board; of kind usage for a target without a board; of kind accuracy if an output differs
/// from the vector's; of kind io if a run takes more than `limit_seconds`.
BenchResult bench(const ExportRequest& request, const ExportResult& result, const Target& target,
                  int limit_seconds = 600);

}  // namespace compress
