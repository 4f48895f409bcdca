#include "libcompress/export/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libcompress/base/error.h"
#include "libcompress/export/bench_program.h"
#include "libcompress/export/c_writer.h"
#include "libcompress/export/call_graph.h"
#include "libcompress/export/process.h"
#include "tests/export/graphs.h"

namespace compress {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing_graphs::every_operation;
using testing_graphs::record;

bool tools_are_there() { return find_program("arm-none-eabi-gcc") && find_program("qemu-system-arm"); }

BenchResult measured(const QuantizedGraph& graph, const std::string& target,
                     std::vector<TestVector> vectors) {
  const ExportRequest request{graph, "every", std::move(vectors), {}};
  return bench(request, write_c(request), load_target(target));
}

std::int64_t sum_of_layers(const BenchResult& result) {
  std::int64_t sum = 0;
  for (const auto& layer : result.layers) sum += layer.instructions;
  return sum;
}

TEST(Bench, runs_every_operation_on_every_core) {
  if (!tools_are_there()) GTEST_SKIP() << "no cross compiler or emulator";
  const auto graph = every_operation(11);
  for (const auto& target : known_targets()) {
    if (target.is_host()) continue;
    const auto result = measured(graph, target.name, record(graph, 2, 5));
    EXPECT_EQ(result.inputs, 2);
    EXPECT_GT(result.instructions, result.macs) << target.name;
    EXPECT_GT(result.stack_bytes, 0);
    EXPECT_GT(result.code_bytes, 1000);
    EXPECT_GT(result.const_bytes, 1000);
  }
}

TEST(Bench, finds_the_whole_in_the_layers) {
  if (!tools_are_there()) GTEST_SKIP() << "no cross compiler or emulator";
  const auto graph = every_operation(11);
  const auto result = measured(graph, "cortex-m3", record(graph, 1, 5));
  const double share = static_cast<double>(sum_of_layers(result)) / static_cast<double>(result.instructions);
  EXPECT_GT(share, 0.98);
  EXPECT_LT(share, 1.02);
  std::int64_t macs = 0;
  for (const auto& layer : result.layers) macs += layer.macs;
  EXPECT_EQ(macs, result.macs);
}

TEST(Bench, counts_the_same_in_every_run) {
  if (!tools_are_there()) GTEST_SKIP() << "no cross compiler or emulator";
  const auto graph = every_operation(4);
  const auto first = measured(graph, "cortex-m4", record(graph, 1, 5));
  const auto second = measured(graph, "cortex-m4", record(graph, 1, 5));
  EXPECT_NEAR(static_cast<double>(first.instructions), static_cast<double>(second.instructions), 80);
  EXPECT_EQ(first.stack_bytes, second.stack_bytes);
}

TEST(Bench, keeps_the_stack_within_the_bound_of_the_call_graph) {
  if (!tools_are_there()) GTEST_SKIP() << "no cross compiler or emulator";
  const auto graph = every_operation(11);
  const auto result = measured(graph, "cortex-m4", record(graph, 1, 5));
  EXPECT_GE(result.stack_bound_bytes + 64, result.stack_bytes);  // libraries push some registers
  for (const auto& name : result.stack_not_bounded) EXPECT_THAT(name, testing::AnyOf("memcpy", "memset"));
}

TEST(Bench, refuses_an_output_that_differs) {
  if (!tools_are_there()) GTEST_SKIP() << "no cross compiler or emulator";
  const auto graph = every_operation(3);
  auto vectors = record(graph, 2, 5);
  vectors[1].output[7] = static_cast<std::int8_t>(vectors[1].output[7] ^ 1);
  try {
    measured(graph, "cortex-m4", vectors);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::accuracy);
    EXPECT_THAT(error.what(), HasSubstr("output 1 differs"));
  }
}

TEST(Bench, refuses_a_target_without_a_board) {
  const auto graph = every_operation(3);
  EXPECT_THROW(measured(graph, "host", record(graph, 1, 5)), Error);
}

TEST(BenchProgram, puts_a_clock_around_every_call_of_a_layer) {
  const auto measured = measured_source(
      "static void layer_01_a(const int8_t *input) {\n}\n"
      "static void layer_01_ab(const int8_t *input) {\n}\n"
      "void net_run(void) {\n  layer_01_a(f(1), 2);\n  layer_01_ab(3);\n  layer_01_a(4);\n}\n");
  EXPECT_THAT(measured.functions, ElementsAre("layer_01_a", "layer_01_ab"));
  EXPECT_THAT(measured.text, HasSubstr("static void layer_01_a(const int8_t *input) {\n"));
  EXPECT_THAT(measured.text, HasSubstr("  BENCH_MEASURED(0, layer_01_a(f(1), 2));\n"));
  EXPECT_THAT(measured.text, HasSubstr("  BENCH_MEASURED(1, layer_01_ab(3));\n"));
  EXPECT_THAT(measured.text, HasSubstr("  BENCH_MEASURED(0, layer_01_a(4));\n"));
}

TEST(BenchProgram, gives_constants_a_memory_of_their_own_where_the_board_has_one) {
  const auto one = bench_files("net", *find_board("mps2-an386"), 3).at("bench.ld");
  EXPECT_THAT(one, HasSubstr("REGION_ALIAS(\"CONSTANTS\", CODE)"));
  const auto two = bench_files("net", *find_board("mps3-an547"), 3).at("bench.ld");
  EXPECT_THAT(two, HasSubstr("REGION_ALIAS(\"CONSTANTS\", FLASH)"));
  EXPECT_THAT(one, Not(HasSubstr("@")));
}

constexpr auto kCalls =
    "node: { title: \"n.c:inner\" label: \"inner\\nn.c:4:38\\n88 bytes (static)\" }\n"
    "node: { title: \"memcpy\" label: \"__builtin_memcpy\\n<built-in>\" shape : ellipse }\n"
    "edge: { sourcename: \"n.c:inner\" targetname: \"memcpy\" }\n"
    "node: { title: \"kernel\" label: \"kernel\\nk.h:5:5\" shape : ellipse }\n"
    "node: { title: \"net_run\" label: \"net_run\\nn.c:5:5\\n24 bytes (static)\" }\n"
    "edge: { sourcename: \"net_run\" targetname: \"n.c:inner\" label: \"n.c:5:31\" }\n"
    "edge: { sourcename: \"net_run\" targetname: \"kernel\" label: \"n.c:5:31\" }\n";

TEST(CallGraph, adds_the_frames_along_the_deepest_chain_over_files) {
  CallGraph graph;
  graph.add(kCalls);
  EXPECT_EQ(graph.depth_of("net_run").bytes, 112);
  EXPECT_THAT(graph.depth_of("net_run").unknown, ElementsAre("kernel", "memcpy"));
  graph.add("node: { title: \"kernel\" label: \"kernel\\nk.c:9:1\\n200 bytes (static)\" }\n");
  EXPECT_EQ(graph.depth_of("net_run").bytes, 224);
  EXPECT_THAT(graph.depth_of("net_run").unknown, ElementsAre("memcpy"));
  EXPECT_TRUE(graph.depth_of("net_run").bounded);
}

TEST(CallGraph, has_no_bound_for_recursion_pointers_and_growing_frames) {
  const std::string run = "node: { title: \"run\" label: \"run\\nn.c:5:5\\n8 bytes (static)\" }\n";
  for (const std::string rest : {"edge: { sourcename: \"run\" targetname: \"run\" }\n",
                                 "edge: { sourcename: \"run\" targetname: \"__indirect_call\" }\n",
                                 "node: { title: \"run\" label: \"run\\nn.c:5:5\\n8 bytes (dynamic)\" }\n"}) {
    CallGraph graph;
    graph.add(run + rest);
    EXPECT_FALSE(graph.depth_of("run").bounded) << rest;
  }
}

}  // namespace
}  // namespace compress
