#include "libcompress/export/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libcompress/base/error.h"

namespace compress {
namespace {

using testing::Contains;
using testing::HasSubstr;

std::string complaint_about(const std::string& text) {
  try {
    parse_target(text, "board.yaml");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::recipe);
    return error.what();
  }
  return "no complaint";
}

TEST(Target, knows_the_cores_by_name) {
  for (const auto* name : {"cortex-m0", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"}) {
    const auto target = load_target(name);
    EXPECT_EQ(target.core, name);
    const auto* board = find_board(target.board);
    ASSERT_NE(board, nullptr) << name;
    EXPECT_THAT(board->cores, Contains(name));
  }
  EXPECT_TRUE(load_target("host").is_host());
}

TEST(Target, lists_the_names_when_there_is_none_of_this_name) {
  try {
    load_target("cortex-m5");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("cortex-m0, cortex-m3"));
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'cortex-m"));
  }
}

TEST(Target, is_read_from_a_file_with_what_the_core_has_for_the_rest) {
  const auto target = parse_target(
      "name: nucleo\ncore: cortex-m4\nflash: 1MiB\nram: 96KiB\nclock: 80\ninstructions: c\nflags: "
      "[\"-Os\"]\n",
      "board.yaml");
  EXPECT_EQ(target.name, "nucleo");
  EXPECT_EQ(target.flash_bytes, 1 << 20);
  EXPECT_EQ(target.ram_bytes, 96 << 10);
  EXPECT_EQ(target.clock_mhz, 80.0);
  EXPECT_EQ(target.instructions, InstructionSet::c);
  EXPECT_EQ(target.board, load_target("cortex-m4").board);
  EXPECT_EQ(target.flags.front(), "-mcpu=cortex-m4");
  EXPECT_EQ(target.flags.back(), "-Os");
}

TEST(Target, says_where_its_file_is_wrong) {
  EXPECT_THAT(complaint_about("core: cortex-m4\nflsh: 1MiB\n"),
              HasSubstr("board.yaml:2:1: unknown key 'flsh'; allowed: name, core, flash"));
  EXPECT_THAT(complaint_about("core: cortex-m4\nflsh: 1MiB\n"), HasSubstr("did you mean 'flash'?"));
  EXPECT_THAT(complaint_about("flash: 1MiB\n"), HasSubstr("no key 'core'"));
  EXPECT_THAT(complaint_about("core: m4\n"), HasSubstr("board.yaml:1:7: 'm4'"));
  EXPECT_THAT(complaint_about("core: cortex-m4\nram: 20%\n"), HasSubstr("board.yaml:2:6: '20%'"));
  EXPECT_THAT(complaint_about("core: cortex-m4\nclock: -1\n"), HasSubstr("board.yaml:2:8"));
  EXPECT_THAT(complaint_about("core: cortex-m4\nflags: -Os\n"), HasSubstr("a list of compiler flags"));
  EXPECT_THAT(complaint_about("core: cortex-m4\nflags: [Os]\n"), HasSubstr("board.yaml:2:9"));
  EXPECT_THAT(complaint_about("core: cortex-m4\nram: 1KiB\nram: 2KiB\n"), HasSubstr("board.yaml:3:1"));
}

TEST(Target, refuses_instructions_and_boards_that_the_core_does_not_have) {
  EXPECT_THAT(complaint_about("core: cortex-m0\ninstructions: dsp\n"),
              HasSubstr("'dsp'; allowed: c; that is what a cortex-m0 has"));
  EXPECT_THAT(complaint_about("core: cortex-m4\nboard: mps2-an385\n"), HasSubstr("mps2-an386"));
  EXPECT_THAT(complaint_about("core: host\nboard: mps2-an385\n"), HasSubstr("this computer"));
}

}  // namespace
}  // namespace compress
