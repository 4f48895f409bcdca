// The kernels for vectors (MVE): with the processor's instructions in QEMU, and with C in their place here.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/export/kernels.h"

namespace compress {
namespace {

using testing_graphs::Builder;
using testing_graphs::every_operation;
using testing_graphs::expect_equal_here;
using testing_graphs::many_windows;
using testing_graphs::measured;
using testing_graphs::random_graph;
using testing_graphs::tools_are_there;

TEST(MveKernels, give_the_bytes_of_the_reference_without_the_instructions) {
  for (const auto* profile : {"litert", "tflite-micro"})
    expect_equal_here(InstructionSet::mve, every_operation(11, profile), 30);
  expect_equal_here(InstructionSet::mve, many_windows(), 30);
}

TEST(MveKernels, give_the_bytes_of_the_reference_on_random_graphs_without_undefined_behavior) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    SCOPED_TRACE(seed);
    expect_equal_here(InstructionSet::mve, random_graph(seed), 5,
                      {.flags = {"-O1", "-fsanitize=address,undefined"}},
                      seed % 2 ? CMemory::least : CMemory::whole);
  }
}

TEST(MveKernels, give_no_warning_with_any_compiler) {
  for (const auto* compiler : {"gcc", "clang", "clang-14"})
    if (find_program(std::string(compiler)))
      expect_equal_here(InstructionSet::mve, many_windows(), 5, {compiler, {"-O1"}});
}

TEST(MveKernels, give_the_bytes_of_the_reference_with_the_instructions) {
  if (!tools_are_there()) GTEST_SKIP() << "no cross compiler or emulator";
  for (const auto memory : {CMemory::whole, CMemory::stream})
    EXPECT_NO_THROW(measured(many_windows(), "cortex-m55", InstructionSet::mve, memory));
  for (const auto* profile : {"litert", "tflite-micro"})
    EXPECT_NO_THROW(measured(every_operation(11, profile), "cortex-m55", InstructionSet::mve));
}

/// A convolution with outputs 2^exponent times as large as usual, so that they are cut off or shifted to the
/// left.
QuantizedGraph larger_by(int exponent) {
  Builder net(5, {1, 6, 5, 3});
  auto graph = net.done({net.conv(net.input(), 7, {{3, 2}, {1, 1}, {1, 1}, {1, 0}, {1, 1}})});
  auto& output = graph.values[index_of(graph.nodes[0].output)];
  output.scale = std::ldexp(output.scale, -exponent);
  for (auto& each : std::get<QConv>(graph.nodes[0].op).requantization) each.shift += exponent;
  return graph;
}

TEST(MveKernels, round_and_shift_like_the_reference) {
  if (!tools_are_there()) GTEST_SKIP() << "no cross compiler or emulator";
  for (const int exponent : {-4, -1, 3, 6, 9, 11}) {
    SCOPED_TRACE(exponent);
    expect_equal_here(InstructionSet::mve, larger_by(exponent), 5);
    EXPECT_NO_THROW(measured(larger_by(exponent), "cortex-m55", InstructionSet::mve));
  }
}

/// Depthwise convolutions of more and fewer than 16 channels, sums of two ways, layers of 1 to 20 outputs.
QuantizedGraph many_widths() {
  Builder net(5, {1, 7, 6, 3});
  auto x = net.conv(net.input(), 37, {{1, 1}, {1, 1}, {0, 0}, {0, 0}, {1, 1}});
  x = net.conv(x, 37, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 37);
  x = net.conv(x, 37, {{2, 3}, {2, 1}, {1, 0}, {0, 1}, {1, 2}}, 37);
  x = net.conv(x, 16, {{1, 1}, {1, 1}, {0, 0}, {0, 0}, {1, 1}});
  const auto y = net.conv(x, 16, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 16);
  x = net.conv(net.add(x, y), 5, {{1, 1}, {1, 1}, {0, 0}, {0, 0}, {1, 1}});
  x = net.add(x, net.conv(x, 5, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 5));
  x = net.reshape(x, {1, element_count(net.shape(x))});
  for (const int outputs : {20, 16, 9, 4, 1}) x = net.linear(x, outputs);
  return net.done({x});
}

TEST(MveKernels, take_layers_of_any_width) {
  expect_equal_here(InstructionSet::mve, many_widths(), 10,
                    {.flags = {"-O1", "-fsanitize=address,undefined"}});
  expect_equal_here(InstructionSet::mve, many_widths(), 10, {}, CMemory::stream);
  if (!tools_are_there()) GTEST_SKIP() << "no cross compiler or emulator";
  for (const auto memory : {CMemory::whole, CMemory::stream})
    EXPECT_NO_THROW(measured(many_widths(), "cortex-m55", InstructionSet::mve, memory));
}

TEST(MveKernels, take_fewer_instructions_than_those_of_pairs) {
  if (!tools_are_there()) GTEST_SKIP() << "no cross compiler or emulator";
  Builder net(5, {1, 12, 12, 16});
  const auto graph = net.done({net.conv(net.input(), 16, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}})});
  EXPECT_LT(3 * measured(graph, "cortex-m55", InstructionSet::mve).instructions,
            measured(graph, "cortex-m55", InstructionSet::dsp).instructions);
}

}  // namespace
}  // namespace compress
