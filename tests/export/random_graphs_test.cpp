// Random networks, compiled many at a time: each is one translation unit with its recorded vectors, one
// program runs all.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <functional>

#include "libcompress/export/c_writer.h"
#include "libcompress/export/process.h"
#include "libcompress/export/stream_axes.h"
#include "libcompress/export/stream_plan.h"
#include "libcompress/export/verify.h"
#include "tests/export/graphs.h"

namespace compress {
namespace {

constexpr std::size_t kInputs = 50;

/// One file with all of a network and its test program, whose main() becomes NAME_main().
std::string single_file(const std::string& name) {
  std::string text = fmt::format("#define main {}_main\n", name);
  for (const auto* suffix : {"", "_kernels", "_weights", "_vectors", "_test_host", "_test"})
    text += fmt::format("#include \"{}{}.c\"\n", name, suffix);
  return text;
}

using Write = std::function<ExportResult(const ExportRequest&)>;

ExportResult whole(const ExportRequest& request) { return write_c(request); }

/// As much of the front as the network's name says, on its side where that is possible and the name is odd;
/// half of them with the kernels for the DSP extension.
ExportResult streamed(const ExportRequest& request) {
  const auto seed = std::stoull(request.name.substr(3));
  const bool swapped = seed % 2 == 1 && can_swap_axes(request.graph);
  const auto graph = swapped ? with_axes_swapped(request.graph) : request.graph;
  const ExportRequest chosen{
      graph, request.name, request.vectors, {}, seed % 4 < 2 ? InstructionSet::dsp : InstructionSet::c};
  const auto most = streamable_nodes(graph);
  return most == 0 ? write_c(chosen) : write_c(chosen, plan_rows(graph, most - seed / 2 % 3 % most));
}

using Make = std::function<QuantizedGraph(std::uint64_t seed)>;

void expect_all_pass(const Make& make, const Write& write, std::uint64_t first, int count,
                     const std::vector<std::string>& flags) {
  const auto compiler = find_program({"cc", "gcc", "clang"});
  if (!compiler) GTEST_SKIP() << "no C compiler";
  const TemporaryFolder folder;
  std::vector<std::string> command = {compiler->string()};
  for (const auto& flag : strict_c_flags()) command.push_back(flag);
  command.insert(command.end(), flags.begin(), flags.end());
  std::string declarations, calls;
  for (int i = 0; i < count; ++i) {
    const auto seed = first + static_cast<std::uint64_t>(i);
    const auto name = fmt::format("net{}", seed);
    const auto graph = make(seed);
    folder.write(write({graph, name, testing_graphs::record(graph, kInputs, seed), {}}).files);
    folder.write({{name + "_all.c", single_file(name)}});
    command.push_back(name + "_all.c");
    declarations += fmt::format("int {}_main(void);\n", name);
    calls += fmt::format("  failed += {}_main();\n", name);
  }
  folder.write(
      {{"all.c", declarations + "int main(void) {\n  int failed = 0;\n" + calls + "  return failed;\n}\n"}});
  command.insert(command.end(), {"all.c", "-o", "all"});
  const auto built = run_program(command, folder.path(), std::chrono::seconds(300));
  ASSERT_EQ(built.exit_code, 0) << built.output;
  const auto run = run_program({(folder.path() / "all").string()}, folder.path());
  EXPECT_EQ(run.exit_code, 0) << run.output;
}

class RandomGraphs : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomGraphs, give_the_bytes_of_the_reference) {
  expect_all_pass(testing_graphs::random_graph, whole, GetParam(), 60, {"-O1"});
}

TEST_P(RandomGraphs, give_the_bytes_of_the_reference_row_by_row) {
  expect_all_pass(testing_graphs::random_graph, streamed, GetParam(), 60, {"-O1"});
}

TEST_P(RandomGraphs, give_the_bytes_of_the_reference_where_some_have_16_bits) {
  expect_all_pass(testing_graphs::random_wide_graph, whole, GetParam(), 60, {"-O1"});
}

INSTANTIATE_TEST_SUITE_P(, RandomGraphs, testing::Values(0, 60, 120, 180));

TEST(SanitizedRandomGraphs, run_without_undefined_behavior) {
  const std::vector<std::string> flags = {"-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"};
  using namespace testing_graphs;
  expect_all_pass(random_graph, whole, 1000, 15, flags);
  expect_all_pass(random_graph, streamed, 1000, 30, flags);
  expect_all_pass(random_wide_graph, streamed, 1000, 15, flags);
}

}  // namespace
}  // namespace compress
