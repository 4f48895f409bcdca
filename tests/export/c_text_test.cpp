#include "libcompress/export/c_text.h"

#include <cmath>

#include <gtest/gtest.h>

namespace compress {
namespace {

TEST(CText, makes_identifiers_of_any_name) {
  EXPECT_EQ(c_identifier("sounds"), "sounds");
  EXPECT_EQ(c_identifier("my net-2"), "my_net_2");
  EXPECT_EQ(c_identifier("1st"), "net_1st");
  EXPECT_EQ(c_identifier(""), "net_");
  EXPECT_EQ(c_identifier("../../etc/passwd"), "net_______etc_passwd");
  EXPECT_EQ(c_identifier(std::string(500, 'x')), std::string(48, 'x'));
  EXPECT_EQ(c_identifier("\xc3\xa4"), "net___");
}

TEST(CText, never_hides_a_header_of_the_standard_library) {
  EXPECT_EQ(c_identifier("stdint"), "stdint_network");
  EXPECT_EQ(c_identifier("String"), "String_network");
}

TEST(CText, keeps_comments_closed) {
  EXPECT_EQ(comment_text("a */ b /* c // d"), "a * / b / * c / / d");
  EXPECT_EQ(comment_text("x\n\\\ny"), "x?/?y");
  EXPECT_EQ(comment_text("what?\?/"), "what? ?/");
}

TEST(CText, escapes_strings) {
  EXPECT_EQ(string_literal("say \"hi\"\\"), R"("say \"hi\"\\")");
  EXPECT_EQ(string_literal("\n1\xff?\?/"), R"("\0121\377\?\?/")");
}

TEST(CText, writes_floats_that_read_back) {
  for (const float value : {1.0f, 0.1f, 1e-20f, 3.4e38f, 0.0078125f, 123456.0f}) {
    const auto text = float_literal(value);
    EXPECT_EQ(std::stof(text), value) << text;
    EXPECT_EQ(text.back(), 'f');
    EXPECT_NE(text.find_first_of(".e"), std::string::npos) << text;
  }
}

TEST(CText, wraps_arrays) {
  const std::vector<std::int32_t> extremes = {INT32_MIN, INT32_MAX};
  EXPECT_EQ(array_body(extremes), "{\n  (-2147483647 - 1), 2147483647\n}");
  const std::vector<std::int8_t> many(100, -128);
  const auto text = array_body(many);
  for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
    end = std::min(text.find('\n', begin), text.size());
    EXPECT_LE(end - begin, 110U);
  }
}

TEST(CText, groups_digits) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(4833920), "4,833,920");
}

}  // namespace
}  // namespace compress
