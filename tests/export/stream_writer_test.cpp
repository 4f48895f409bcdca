#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "libcompress/base/error.h"
#include "libcompress/export/c_writer.h"
#include "libcompress/export/process.h"
#include "libcompress/export/verify.h"
#include "tests/export/graphs.h"

namespace compress {
namespace {

using testing::HasSubstr;
using testing_graphs::Builder;
using testing_graphs::record;
using testing_graphs::square;

/// A residual block, every kind of pool, a depthwise and a grouped convolution.
QuantizedGraph image_network() {
  Builder build(6, {1, 40, 24, 3});
  const auto x = build.max_pool(build.conv(build.input(), 8, square(3, 1, 1)), square(2, 2, 0));
  const auto y = build.conv(build.conv(x, 8, square(3, 1, 1), 8), 8, square(1, 1, 0));
  const auto sum = build.concat({build.add(x, y), build.conv(x, 4, square(3, 1, 1), 4)}, 3);
  const auto overlapping = build.max_pool(sum, square(3, 1, 1));
  const auto means = build.average_pool(build.average_pool(overlapping, square(3, 2, 1)), square(4, 4, 0));
  const auto flat = build.reshape(means, {1, element_count(build.shape(means))});
  return build.done({build.softmax(build.linear(flat, 5)), sum});
}

/// Along the width, with a transpose that makes channels the height.
QuantizedGraph sound_network() {
  const Window taps{{1, 9}, {1, 2}, {0, 4}, {0, 4}, {1, 1}};
  Builder build(7, {1, 1, 800, 1});
  const auto bands =
      build.max_pool(build.conv(build.input(), 12, taps), {{1, 10}, {1, 10}, {0, 0}, {0, 0}, {1, 1}});
  const auto x = build.conv(build.transpose(bands, {0, 3, 2, 1}), 6, square(3, 1, 1));
  const auto mean = build.average_pool(x, {{12, 40}, {12, 40}, {0, 0}, {0, 0}, {1, 1}});
  return build.done({build.linear(build.reshape(mean, {1, 6}), 4)});
}

/// Rows of one to three positions, which come in blocks; pools whose windows have gaps or end inside a block.
QuantizedGraph narrow_network() {
  const auto down = [](int kernel, int stride, int padding) {
    return Window{{kernel, 1}, {stride, 1}, {padding, 0}, {padding, 0}, {1, 1}};
  };
  Builder build(11, {1, 331, 1, 2});
  const auto x = build.conv(build.conv(build.input(), 5, down(5, 2, 2)), 6, down(3, 1, 1));
  const auto means = build.conv(build.average_pool(x, down(3, 4, 0)), 4, down(1, 1, 0));
  const auto largest = build.max_pool(build.conv(means, 7, down(4, 1, 1)), down(5, 5, 1));
  const auto wider = build.reshape(build.conv(largest, 6, down(2, 1, 0)), {1, 7, 3, 2});
  const auto last = build.max_pool(build.conv(wider, 4, square(3, 1, 1)), square(3, 3, 0));
  return build.done({build.linear(build.reshape(last, {1, element_count(build.shape(last))}), 3)});
}

std::vector<QuantizedGraph> networks() { return {image_network(), sound_network(), narrow_network()}; }

ExportResult exported(const QuantizedGraph& graph, InstructionSet instructions = InstructionSet::c) {
  return write_c({graph, "rows", record(graph, 4, 5), {}, instructions}, CMemory::stream);
}

void expect_passes(const VectorRun& run) {
  if (run.status == VectorRun::Status::skipped) GTEST_SKIP() << run.detail;
  EXPECT_EQ(run.status, VectorRun::Status::passed) << run.detail;
}

TEST(StreamWriter, gives_the_bytes_of_the_reference_on_the_host) {
  for (const auto& graph : networks()) {
    const auto result = exported(graph);
    EXPECT_THAT(result.files.at("rows.c"), HasSubstr("advance_01_"));
    expect_passes(run_vectors_on_host(result, "rows"));
  }
}

TEST(StreamWriter, gives_the_bytes_of_the_reference_on_a_cortex_m4) {
  for (const auto set : {InstructionSet::c, InstructionSet::dsp})
    for (const auto& graph : networks()) expect_passes(run_on_cortex_m4(exported(graph, set), "rows").run);
}

TEST(StreamWriter, makes_code_without_undefined_behavior) {
  for (const auto& graph : networks())
    expect_passes(run_vectors_on_host(
        exported(graph), "rows", {"", {"-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"}}));
}

TEST(StreamWriter, needs_less_than_whole_tensors) {
  for (const auto& graph : networks()) {
    const ExportRequest request{graph, "rows", {}, {}};
    EXPECT_LT(write_c(request, CMemory::stream).arena_bytes, write_c(request).arena_bytes);
  }
  EXPECT_LT(write_c({sound_network(), "rows", {}, {}}, CMemory::stream).arena_bytes, 400);
}

void expect_no_warning(const std::string& name, const ExportResult& result) {
  const auto compiler = find_program(name);
  if (!compiler) return;
  const TemporaryFolder folder;
  folder.write(result.files);
  std::vector<std::string> command = {compiler->string(), "-O2", "-c", "rows.c", "rows_kernels.c"};
  for (const auto& flag : strict_c_flags()) command.push_back(flag);
  if (name.starts_with("arm")) command.insert(command.end(), {"-mcpu=cortex-m4", "-mthumb"});
  const auto done = run_program(command, folder.path());
  EXPECT_EQ(done.exit_code, 0) << name << "\n" << done.output;
  EXPECT_EQ(done.output, "") << name;
}

TEST(StreamWriter, gives_no_warning_with_any_compiler) {
  for (const auto set : {InstructionSet::c, InstructionSet::dsp})
    for (const auto* name : {"gcc", "clang", "clang-14", "arm-none-eabi-gcc"})
      expect_no_warning(name, exported(image_network(), set));
}

/// Pushes every recorded input in pieces of 1, 2, 3 .. rows, the last one larger than what is left; returns
/// the number of the first vector that fails plus one.
constexpr const char* kPushing = R"(
#include <string.h>

#include "rows.h"
#include "rows_vectors.h"

static uint8_t arena[ROWS_ARENA_SIZE];
static int8_t output[ROWS_OUTPUT_SIZE];

int main(void) {
  for (int vector = 0; vector < ROWS_VECTOR_COUNT; vector++) {
    int32_t given = 0;
    rows_start(arena);
    for (int32_t piece = 1; given < ROWS_ROW_COUNT; given += piece++) {
      if (rows_result(arena, output) != ROWS_ROW_COUNT - given) return vector + 1;
      rows_push(arena, rows_vector_inputs[vector] + given * ROWS_ROW_SIZE, piece);
    }
    if (rows_result(arena, output) != 0) return vector + 1;
    if (memcmp(output, rows_vector_outputs[vector], ROWS_OUTPUT_SIZE) != 0) return vector + 1;
  }
  return 0;
}
)";

TEST(StreamWriter, takes_an_input_in_pieces_of_any_size) {
  const auto compiler = find_program({"cc", "gcc", "clang"});
  if (!compiler) GTEST_SKIP() << "no C compiler";
  for (const auto& graph : networks()) {
    const TemporaryFolder folder;
    folder.write(exported(graph).files);
    folder.write({{"pushing.c", kPushing}});
    std::vector<std::string> command = {compiler->string(), "-O1", "-fsanitize=address,undefined"};
    for (const auto& flag : strict_c_flags()) command.push_back(flag);
    command.insert(command.end(), {"pushing.c", "rows.c", "rows_kernels.c", "rows_weights.c",
                                   "rows_vectors.c", "-o", "pushing"});
    const auto built = run_program(command, folder.path());
    ASSERT_EQ(built.exit_code, 0) << built.output;
    EXPECT_EQ(run_program({(folder.path() / "pushing").string()}, folder.path()).exit_code, 0);
  }
}

TEST(StreamWriter, keeps_whole_tensors_where_they_are_smaller) {
  Builder build(8, {1, 64});
  const auto graph = build.done({build.linear(build.input(), 10)});
  const ExportRequest request{graph, "rows", {}, {}};
  EXPECT_EQ(write_c(request, CMemory::least).files, write_c(request).files);
  EXPECT_THROW(write_c(request, CMemory::stream), Error);
}

}  // namespace
}  // namespace compress
