#include "libcompress/export/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libcompress/base/error.h"

namespace compress {
namespace {

std::string shell() { return find_program("sh")->string(); }

TEST(Process, gives_output_and_exit_code) {
  const TemporaryFolder folder;
  const auto done = run_program({shell(), "-c", "echo out; echo err >&2; pwd; exit 3"}, folder.path());
  EXPECT_EQ(done.exit_code, 3);
  EXPECT_EQ(done.output, "out\nerr\n" + folder.path().string() + "\n");
}

TEST(Process, is_ended_with_its_children_when_its_time_is_over) {
  const TemporaryFolder folder;
  const auto done =
      run_program({shell(), "-c", "sleep 60; echo late"}, folder.path(), std::chrono::seconds(1));
  EXPECT_TRUE(done.timed_out);
  EXPECT_EQ(done.exit_code, 128 + 9);
}

TEST(Process, passes_arguments_as_they_are) {
  const TemporaryFolder folder;
  const auto done = run_program({shell(), "-c", "printf %s \"$1\"", "sh", "$(id) ; * 'x'"}, folder.path());
  EXPECT_EQ(done.output, "$(id) ; * 'x'");
}

TEST(Process, that_does_not_exist_is_an_error) {
  const TemporaryFolder folder;
  EXPECT_THROW(run_program({(folder.path() / "none").string()}, folder.path()), Error);
  EXPECT_EQ(find_program("no-such-program-anywhere"), std::nullopt);
}

TEST(Process, answers_questions_larger_than_a_pipe) {
  const TemporaryFolder folder;
  Conversation echo({find_program("cat")->string()}, folder.path());
  const std::vector<std::byte> question(100'000, std::byte{7});
  std::vector<std::byte> answer(question.size());
  for (int round = 0; round < 3; ++round) {
    std::fill(answer.begin(), answer.end(), std::byte{0});
    echo.ask(std::span(question).first(1000), std::span(answer).first(1000), std::chrono::seconds(10));
    EXPECT_TRUE(std::equal(answer.begin(), answer.begin() + 1000, question.begin()));
  }
}

TEST(Process, that_dies_gives_an_error_and_no_signal) {
  const TemporaryFolder folder;
  Conversation deaf({shell(), "-c", "exit 1"}, folder.path());
  const std::vector<std::byte> question(1'000'000);
  std::vector<std::byte> answer(1);
  EXPECT_THROW(deaf.ask(question, answer, std::chrono::seconds(10)), Error);
}

TEST(TemporaryFolder, disappears_with_its_files) {
  std::filesystem::path path;
  {
    const TemporaryFolder folder;
    path = folder.path();
    folder.write({{"deep/file.txt", "text"}});
    EXPECT_TRUE(std::filesystem::exists(path / "deep/file.txt"));
    EXPECT_THROW(folder.write({{"../out", "text"}}), Error);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace compress
