// What the tests of kernels for an instruction set share.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "libcompress/export/bench.h"
#include "libcompress/export/c_writer.h"
#include "libcompress/export/process.h"
#include "libcompress/export/verify.h"
#include "tests/export/graphs.h"

namespace compress::testing_graphs {

/// With C in place of the instructions, the network gives the reference's bytes on this computer.
inline void expect_equal_here(InstructionSet instructions, const QuantizedGraph& graph, std::size_t inputs,
                              const HostOptions& options = {}, CMemory memory = CMemory::whole) {
  const ExportRequest request{graph, "kernel_net", {}, {}, instructions};
  auto host = compile_for_host(write_c(request, memory), "kernel_net", options);
  if (!host.network) GTEST_SKIP() << host.skipped;
  for (const auto& [input, output] : record(graph, inputs, 99)) ASSERT_EQ(host.network->run(input), output);
}

/// In QEMU. bench() compares the outputs, and throws if one differs.
inline BenchResult measured(const QuantizedGraph& graph, const std::string& target,
                            InstructionSet instructions, CMemory memory = CMemory::whole) {
  const ExportRequest request{graph, "kernel_net", record(graph, 4, 7), {}, instructions};
  return bench(request, write_c(request, memory), load_target(target));
}

inline bool tools_are_there() { return find_program("arm-none-eabi-gcc") && find_program("qemu-system-arm"); }

}  // namespace compress::testing_graphs
