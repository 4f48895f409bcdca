// Random networks, compiled many at a time: each is one translation unit with its recorded vectors, one
// program runs all.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "libcompress/export/c_writer.h"
#include "libcompress/export/process.h"
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

void expect_all_pass(std::uint64_t first, int count, const std::vector<std::string>& flags) {
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
    const auto graph = testing_graphs::random_graph(seed);
    folder.write(write_c({graph, name, testing_graphs::record(graph, kInputs, seed), {}}).files);
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

TEST_P(RandomGraphs, give_the_bytes_of_the_reference) { expect_all_pass(GetParam(), 60, {"-O1"}); }

INSTANTIATE_TEST_SUITE_P(, RandomGraphs, testing::Values(0, 60, 120, 180));

TEST(SanitizedRandomGraphs, run_without_undefined_behavior) {
  expect_all_pass(1000, 15, {"-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"});
}

}  // namespace
}  // namespace compress
