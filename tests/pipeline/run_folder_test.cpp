#include "libcompress/pipeline/run_folder.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"

namespace compress {
namespace {

using nlohmann::json;

class RunFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "run-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  ErrorKind kind_of_opening(const std::string& recipe) const {
    try {
      RunFolder again(folder_, recipe);
    } catch (const Error& error) {
      return error.kind();
    }
    ADD_FAILURE() << "opened";
    return ErrorKind::usage;
  }

  std::filesystem::path folder_;
};

TEST_F(RunFolderTest, does_a_finished_step_once_and_gives_its_result_again) {
  int calls = 0;
  const auto work = [&] { return json{{"calls", ++calls}}; };
  {
    RunFolder run(folder_, "recipe");
    EXPECT_EQ(run.step("count", work).at("calls"), 1);
    EXPECT_EQ(run.step("count", work).at("calls"), 1);
  }
  RunFolder resumed(folder_, "recipe");
  EXPECT_TRUE(resumed.done("count"));
  EXPECT_EQ(resumed.step("count", work).at("calls"), 1);
  EXPECT_EQ(calls, 1);
}

TEST_F(RunFolderTest, does_not_record_a_step_that_threw) {
  {
    RunFolder run(folder_, "recipe");
    EXPECT_THROW(run.step("fails", []() -> json { throw Error(ErrorKind::input, "no"); }), Error);
  }
  EXPECT_TRUE(RunFolder::steps_of(folder_).empty());
}

TEST_F(RunFolderTest, writes_what_a_step_leaves_before_it_records_the_step) {
  RunFolder run(folder_, "recipe");
  bool first = false;
  run.step("makes", [&] {
    run.later([&] {
      first = RunFolder::steps_of(folder_).empty();
      write_file(run.path("made"), "whole");
    });
    return json::object();
  });
  run.settle();
  EXPECT_TRUE(first);
  EXPECT_EQ(read_text(run.path("made")), "whole");
  EXPECT_EQ(RunFolder::steps_of(folder_).size(), 1);
}

TEST_F(RunFolderTest, does_not_record_a_step_whose_file_could_not_be_written) {
  {
    RunFolder run(folder_, "recipe");
    const auto make = [&] {
      run.later([] { throw Error(ErrorKind::io, "the disk is full"); });
      return json::object();
    };
    const auto finish = [&] {
      run.step("makes", make);  // may be the call that learns of it already
      run.settle();
    };
    EXPECT_THROW(finish(), Error);
  }
  EXPECT_TRUE(RunFolder::steps_of(folder_).empty());
}

TEST_F(RunFolderTest, refuses_the_folder_of_another_recipe) {
  {
    RunFolder run(folder_, "recipe");
  }
  EXPECT_EQ(kind_of_opening("another"), ErrorKind::usage);
}

TEST_F(RunFolderTest, lets_one_process_in_at_a_time) {
  RunFolder run(folder_, "recipe");
  EXPECT_EQ(kind_of_opening("recipe"), ErrorKind::io);
}

TEST_F(RunFolderTest, names_a_damaged_state_file) {
  {
    RunFolder run(folder_, "recipe");
  }
  write_file(folder_ / "state.json", "{\"format\": ");
  EXPECT_EQ(kind_of_opening("recipe"), ErrorKind::input);
}

TEST_F(RunFolderTest, names_a_state_file_that_lacks_a_key) {
  {
    RunFolder run(folder_, "recipe");
  }
  write_file(folder_ / "state.json", "{\"format\": \"libcompress run 1\"}");
  EXPECT_EQ(kind_of_opening("recipe"), ErrorKind::input);
}

TEST_F(RunFolderTest, removes_what_a_killed_process_had_not_renamed) {
  {
    RunFolder run(folder_, "recipe");
  }
  write_file(folder_ / "checkpoints" / ".a.safetensors.1.0.tmp", "half");
  RunFolder run(folder_, "recipe");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "checkpoints" / ".a.safetensors.1.0.tmp"));
}

TEST_F(RunFolderTest, has_no_recipe_where_there_was_no_run) {
  EXPECT_THROW(RunFolder::recipe_of(folder_), Error);
}

}  // namespace
}  // namespace compress
