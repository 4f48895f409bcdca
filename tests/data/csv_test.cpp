#include "plugins/datasets/csv.h"

#include <gmock/gmock.h>

#include "tests/data/sound_files.h"

namespace compress {
namespace {

using testing::complaint;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Csv, reads_rows_under_a_header) {
  const auto table = parse_csv("a,b\r\n1,2\n\n3,\n", "t.csv");
  EXPECT_THAT(table.columns, ElementsAre("a", "b"));
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_THAT(table.rows[0].cells, ElementsAre("1", "2"));
  EXPECT_THAT(table.rows[1].cells, ElementsAre("3", ""));
  EXPECT_EQ(table.rows[1].line, 4U);
  EXPECT_EQ(table.column("b"), 1U);
  EXPECT_EQ(table.column("c"), 2U);
}

TEST(Csv, reads_quoted_cells_and_a_byte_order_mark) {
  const auto table = parse_csv("\xEF\xBB\xBF\"a\",b\n\"x, \"\"y\"\"\nz\",2\n5,6", "t.csv");
  EXPECT_THAT(table.columns, ElementsAre("a", "b"));
  EXPECT_THAT(table.rows[0].cells, ElementsAre("x, \"y\"\nz", "2"));
  EXPECT_EQ(table.rows[1].line, 4U);
}

TEST(Csv, tells_the_line_of_a_mistake) {
  const auto message = [](std::string_view text) {
    return complaint(ErrorKind::input, [&] { parse_csv(text, "t.csv"); });
  };
  EXPECT_THAT(message("a,b\n1,2\n3\n"), HasSubstr("t.csv:3: 1 cells; allowed: 2"));
  EXPECT_THAT(message("a,b\n\"1,2\n"), HasSubstr("t.csv:2: a quote that does not close"));
  EXPECT_THAT(message("a,b\n\"1\"x,2\n"), HasSubstr("t.csv:2: text after a closing quote"));
  EXPECT_THAT(message("a,b\r1,2\r"), HasSubstr("stray carriage return"));
  EXPECT_THAT(message(""), HasSubstr("t.csv:1: an empty file"));
}

}  // namespace
}  // namespace compress
