#include "libcompress/export/c_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libcompress/base/error.h"
#include "libcompress/export/c_text.h"
#include "libcompress/export/process.h"
#include "libcompress/export/stream_plan.h"
#include "libcompress/export/verify.h"
#include "tests/export/graphs.h"

namespace compress {

void register_c(Catalog<Exporter>& catalog);

namespace {

using testing::HasSubstr;
using testing_graphs::Builder;
using testing_graphs::every_operation;
using testing_graphs::record;

ExportResult exported(const QuantizedGraph& graph, const std::string& name, std::size_t vectors = 4,
                      std::vector<std::string> classes = {}) {
  return write_c({graph, name, record(graph, vectors, 5), std::move(classes)});
}

void expect_passes(const VectorRun& run) {
  if (run.status == VectorRun::Status::skipped) GTEST_SKIP() << run.detail;
  EXPECT_EQ(run.status, VectorRun::Status::passed) << run.detail;
}

TEST(CWriter, gives_the_bytes_of_the_reference_for_every_operation) {
  for (const auto* profile : {"litert", "tflite-micro"}) {
    const auto graph = every_operation(11, profile);
    const auto result = exported(graph, "every");
    auto host = compile_for_host(result, "every");
    if (!host.network) GTEST_SKIP() << host.skipped;
    for (const auto& [input, output] : record(graph, 50, 99))
      ASSERT_EQ(host.network->run(input), output) << profile;
  }
}

TEST(CWriter, makes_a_test_program_that_passes_on_the_host) {
  const auto run = run_vectors_on_host(exported(every_operation(3), "every"), "every");
  EXPECT_EQ(run.passed, 4) << run.detail;
  expect_passes(run);
}

TEST(CWriter, makes_a_test_program_that_passes_on_a_cortex_m4) {
  const auto cortex = run_on_cortex_m4(exported(every_operation(3), "every"), "every");
  expect_passes(cortex.run);
  EXPECT_EQ(cortex.run.passed, 4);
  EXPECT_GT(cortex.size.code_bytes, 1000);
  EXPECT_GT(cortex.size.constant_bytes, 1000);
}

TEST(CWriter, makes_a_test_program_that_finds_a_wrong_byte) {
  const auto graph = every_operation(3);
  auto vectors = record(graph, 3, 5);
  vectors[1].output[7] = static_cast<std::int8_t>(vectors[1].output[7] ^ 1);
  const auto run = run_vectors_on_host(write_c({graph, "every", vectors, {}}), "every");
  if (run.status == VectorRun::Status::skipped) GTEST_SKIP() << run.detail;
  EXPECT_EQ(run.status, VectorRun::Status::failed);
  EXPECT_THAT(run.detail, HasSubstr("vector 1: output 7 is "));
  EXPECT_EQ(run.failed, 1);
  const auto cortex = run_on_cortex_m4(write_c({graph, "every", vectors, {}}), "every").run;
  if (cortex.status == VectorRun::Status::skipped) GTEST_SKIP() << cortex.detail;
  EXPECT_EQ(cortex.status, VectorRun::Status::failed);
  EXPECT_EQ(cortex.passed, 2);
}

TEST(CWriter, gives_no_warning_with_any_compiler) {
  const auto result = exported(every_operation(3), "every", 2, {"a", "b"});
  for (const auto* name : {"gcc", "clang", "clang-14", "arm-none-eabi-gcc"}) {
    const auto compiler = find_program(std::string(name));
    if (!compiler) continue;
    const TemporaryFolder folder;
    folder.write(result.files);
    std::vector<std::string> command = {compiler->string(), "-O2", "-c"};
    for (const auto& flag : strict_c_flags()) command.push_back(flag);
    for (const auto& [file, text] : result.files)
      if (file.ends_with(".c") && (file != "cortex-m4/startup.c" || std::string(name).starts_with("arm")))
        command.push_back(file);
    if (std::string(name).starts_with("arm")) command.insert(command.end(), {"-mcpu=cortex-m4", "-mthumb"});
    const auto done = run_program(command, folder.path());
    EXPECT_EQ(done.exit_code, 0) << name << "\n" << done.output;
    EXPECT_EQ(done.output, "") << name;
  }
}

TEST(CWriter, makes_code_without_undefined_behavior) {
  const auto run =
      run_vectors_on_host(exported(every_operation(8), "every", 12), "every",
                          {"", {"-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"}});
  expect_passes(run);
}

TEST(CWriter, makes_a_folder_that_cmake_builds_and_tests) {
  const auto cmake = find_program("cmake"), ctest = find_program("ctest");
  if (!cmake || !ctest || !find_program({"cc", "gcc", "clang"})) GTEST_SKIP() << "no cmake or no compiler";
  const TemporaryFolder folder;
  folder.write(exported(every_operation(3), "every", 2, {"one", "two"}).files);
  const auto run = [&](const std::vector<std::string>& command) {
    const auto done = run_program(command, folder.path());
    EXPECT_EQ(done.exit_code, 0) << done.output;
    return done.output;
  };
  run({cmake->string(), "-S", ".", "-B", "build"});
  run({cmake->string(), "--build", "build"});
  EXPECT_THAT(run({ctest->string(), "--test-dir", "build"}), HasSubstr("100% tests passed"));
  if (!find_program("arm-none-eabi-gcc") || !find_program("qemu-system-arm")) return;
  run({cmake->string(), "-S", ".", "-B", "build-m4", "-DCMAKE_TOOLCHAIN_FILE=cortex-m4/toolchain.cmake"});
  run({cmake->string(), "--build", "build-m4"});
  EXPECT_THAT(run({ctest->string(), "--test-dir", "build-m4"}), HasSubstr("100% tests passed"));
}

TEST(CWriter, survives_hostile_names) {
  const std::vector<std::string> hostile = {
      "*/ int main(void) {", "/* nested", "\"; system(\"id\"); \"",           "?\?/\n#error", "\\", "int",
      "%s%n@NAME@",          "",          "caf\xc3\xa9 \xe2\x80\xae reversed"};
  Builder b(4, {1, 5, 5, 2});
  auto x = b.input();
  for (const auto& name : hostile) {
    x = b.conv(x, 2, {});
    b.name(name);
  }
  auto graph = b.done({b.softmax(b.reshape(x, {1, 50}))});
  for (auto& value : graph.values) value.name = hostile[index_of(value.id) % hostile.size()] + value.name;
  auto classes = hostile;
  for (const auto* name : {"stdint", "string", "1 2*/", "", "while", "test", "MAIN", "../../x"}) {
    const auto run = run_vectors_on_host(exported(graph, name, 1, classes), name);
    expect_passes(run);
  }
}

TEST(CWriter, gives_the_same_text_every_time) {
  EXPECT_EQ(exported(every_operation(3), "every").files, exported(every_operation(3), "every").files);
}

TEST(CWriter, is_the_plugin_c) {
  Catalog<Exporter> exporters("exporter");
  register_c(exporters);
  const auto graph = every_operation(3);
  EXPECT_EQ(exporters.make("c", {})->run({graph, "every", {}, {}}).files,
            write_c({graph, "every", {}, {}}).files);
}

TEST(CWriter, leaves_the_test_program_out_where_nothing_was_recorded) {
  const auto graph = every_operation(3);
  const auto result = write_c({graph, "every", {}, {}});
  EXPECT_FALSE(result.files.contains("every_test.c"));
  EXPECT_FALSE(result.files.contains("cortex-m4/startup.c"));
  EXPECT_EQ(run_vectors_on_host(result, "every").detail, "no recorded vectors");
  EXPECT_EQ(run_on_cortex_m4(result, "every").run.detail, "no recorded vectors");
  EXPECT_TRUE(compile_for_host(result, "every").network || !find_program({"cc", "gcc", "clang"}));
}

TEST(CWriter, says_that_there_is_no_compiler) {
  const auto result = exported(every_operation(3), "every", 1);
  const auto host = compile_for_host(result, "every", {"no-such-compiler", {}});
  EXPECT_FALSE(host.network);
  EXPECT_EQ(host.skipped, "no C compiler: no-such-compiler in PATH");
}

TEST(CWriter, refuses_vectors_of_the_wrong_size) {
  const auto graph = every_operation(3);
  auto vectors = record(graph, 1, 1);
  vectors[0].input.pop_back();
  EXPECT_THROW(write_c({graph, "every", vectors, {}}), Error);
}

TEST(CWriter, keeps_two_bytes_for_an_activation_of_16_bits) {
  Builder b(1, {1, 4, 4, 2});
  const auto wide = b.to_width(b.input(), DType::int16);
  const auto back = b.to_width(wide, DType::int8);
  const auto graph = b.done({back});
  EXPECT_EQ(write_c({graph, "net", {}, {}}).arena_bytes, 64);
}

TEST(CWriter, streams_up_to_the_first_layer_of_16_bits) {
  Builder b(1, {1, 8, 8, 2});
  const auto x = b.conv(b.input(), 3, testing_graphs::square(3, 1, 1));
  const auto wide = b.to_width(b.max_pool(x, testing_graphs::square(2, 2, 0)), DType::int16);
  const auto back = b.to_width(wide, DType::int8);
  EXPECT_EQ(streamable_nodes(b.done({back})), 2U);
}

TEST(CWriter, refuses_a_transpose_of_five_axes_by_name) {
  Builder b(1, {1, 2, 3, 2, 3, 2});
  const auto y = b.transpose(b.input(), {0, 5, 4, 3, 2, 1});
  b.name("turn");
  const auto graph = b.done({y});
  try {
    write_c({graph, "every", {}, {}});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("node 'turn'"));
  }
}

TEST(CWriter, moves_outputs_that_are_the_input_or_come_twice) {
  Builder b(4, {1, 3, 4, 2});
  const auto flat = b.reshape(b.input(), {1, 24});
  const auto scores = b.linear(flat, 5);
  const auto graph = b.done({flat, scores, b.input(), scores});
  const auto run = run_vectors_on_host(exported(graph, "every"), "every");
  expect_passes(run);
}

TEST(CWriter, rounds_the_softmax_of_a_thousand_equal_scores_to_nothing) {
  Builder b(4, {1, 1000});
  const auto graph = b.done({b.softmax(b.input())});
  auto host = compile_for_host(exported(graph, "every", 1), "every", {"", {"-O1", "-fsanitize=undefined"}});
  if (!host.network) GTEST_SKIP() << host.skipped;
  EXPECT_EQ(host.network->run(std::vector<std::int8_t>(1000, 3)), std::vector<std::int8_t>(1000, -128));
}

TEST(CWriter, lists_the_exact_sizes) {
  const auto graph = every_operation(3);
  const auto result = exported(graph, "every");
  EXPECT_THAT(result.files.at("every.h"),
              HasSubstr("#define EVERY_ARENA_SIZE " + std::to_string(result.arena_bytes)));
  EXPECT_THAT(result.files.at("every.h"), HasSubstr("#define EVERY_INPUT_SIZE 297\n"));
  std::int64_t end = 0;
  for (const auto& tensor : result.arena) end = std::max(end, tensor.offset + tensor.bytes);
  EXPECT_EQ(end, result.arena_bytes);
  EXPECT_GT(result.constant_bytes, constant_bytes_of(graph));
}

}  // namespace
}  // namespace compress
