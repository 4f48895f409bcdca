// The kernels for the DSP extension: with the processor's instructions in QEMU, and with C in their place
// here.
#include <gtest/gtest.h>

#include "libcompress/export/bench.h"
#include "libcompress/export/c_writer.h"
#include "libcompress/export/process.h"
#include "libcompress/export/verify.h"
#include "tests/export/graphs.h"

namespace compress {
namespace {

using testing_graphs::Builder;
using testing_graphs::every_operation;
using testing_graphs::many_windows;
using testing_graphs::random_graph;
using testing_graphs::record;

ExportRequest with_dsp(const QuantizedGraph& graph, std::vector<TestVector> vectors) {
  return {graph, "dsp_net", std::move(vectors), {}, InstructionSet::dsp};
}

void expect_equal_here(const QuantizedGraph& graph, std::size_t inputs, const HostOptions& options = {},
                       CMemory memory = CMemory::whole) {
  auto host = compile_for_host(write_c(with_dsp(graph, {}), memory), "dsp_net", options);
  if (!host.network) GTEST_SKIP() << host.skipped;
  for (const auto& [input, output] : record(graph, inputs, 99)) ASSERT_EQ(host.network->run(input), output);
}

/// bench() compares the outputs, and throws if one differs.
BenchResult measured(const QuantizedGraph& graph, const std::string& target, InstructionSet instructions) {
  const ExportRequest request{graph, "dsp_net", record(graph, 2, 7), {}, instructions};
  return bench(request, write_c(request), load_target(target));
}

bool tools_are_there() { return find_program("arm-none-eabi-gcc") && find_program("qemu-system-arm"); }

TEST(DspKernels, give_the_bytes_of_the_reference_without_the_instructions) {
  for (const auto* profile : {"litert", "tflite-micro"}) expect_equal_here(every_operation(11, profile), 30);
  expect_equal_here(many_windows(), 30);
}

TEST(DspKernels, give_the_bytes_of_the_reference_on_random_graphs) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    expect_equal_here(random_graph(seed), 5, {.flags = {"-O0"}});
  }
}

TEST(DspKernels, give_the_bytes_of_the_reference_row_by_row) {
  expect_equal_here(many_windows(), 10, {}, CMemory::stream);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    expect_equal_here(random_graph(seed), 5, {.flags = {"-O1", "-fsanitize=address,undefined"}},
                      CMemory::least);
  }
}

TEST(DspKernels, give_no_warning_and_no_undefined_behavior_with_any_compiler) {
  for (const auto* compiler : {"gcc", "clang", "clang-14"}) {
    if (!find_program(std::string(compiler))) continue;
    expect_equal_here(many_windows(), 5,
                      {compiler, {"-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"}});
  }
}

TEST(DspKernels, give_the_bytes_of_the_reference_on_every_core_that_has_them) {
  if (!tools_are_there()) GTEST_SKIP() << "no cross compiler or emulator";
  for (const auto* target : {"cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"}) {
    SCOPED_TRACE(target);
    EXPECT_NO_THROW(measured(many_windows(), target, InstructionSet::dsp));
    EXPECT_NO_THROW(measured(every_operation(11), target, InstructionSet::dsp));
  }
}

TEST(DspKernels, take_the_short_scale_only_where_sums_are_proven_small) {
  Builder net(5, {1, 6, 6, 4});
  auto graph = net.done({net.conv(net.input(), 4, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}})});
  const auto kernels = [&] { return write_c(with_dsp(graph, {})).files.at("dsp_net_kernels.c"); };
  EXPECT_NE(kernels().find("scale_small(sum"), std::string::npos);
  auto& bias = graph.values[index_of(graph.nodes[0].inputs[2])].constant;
  bias.as<std::int32_t>()[3] = (1 << 30) + 5;
  EXPECT_EQ(kernels().find("scale_small(sum"), std::string::npos);
  expect_equal_here(graph, 10);
}

TEST(DspKernels, run_where_the_extension_is_missing) {
  if (!tools_are_there()) GTEST_SKIP() << "no cross compiler or emulator";
  EXPECT_NO_THROW(measured(many_windows(), "cortex-m3", InstructionSet::dsp));
}

TEST(DspKernels, take_fewer_instructions_than_portable_ones) {
  if (!tools_are_there()) GTEST_SKIP() << "no cross compiler or emulator";
  Builder net(5, {1, 12, 12, 16});
  const Window window{{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}};
  const auto graph = net.done({net.conv(net.conv(net.input(), 16, window), 16, window, 16)});
  const auto dsp = measured(graph, "cortex-m4", InstructionSet::dsp);
  const auto portable = measured(graph, "cortex-m4", InstructionSet::c);
  for (std::size_t i = 0; i < dsp.layers.size(); ++i)
    EXPECT_LT(dsp.layers[i].instructions, portable.layers[i].instructions) << dsp.layers[i].title;
}

}  // namespace
}  // namespace compress
