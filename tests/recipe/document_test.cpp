#include "libcompress/recipe/document.h"

#include <chrono>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace compress {
namespace {

using testing::HasSubstr;

std::string error_of(const std::string& text) {
  try {
    const auto document = read_yaml(text, "r.yaml");
    return document.complaints.empty() ? "good" : to_string(document.complaints.front());
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::recipe);
    return error.what();
  }
}

TEST(Document, keeps_places_and_quotes) {
  const auto document = read_yaml("a: 1\nb:\n  - 'x'\n  - y: [2]\n", "r.yaml");
  EXPECT_EQ(document.root.find("a")->where, "r.yaml:1:4");
  const auto* b = document.root.find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_TRUE(b->items[0].quoted);
  EXPECT_EQ(b->items[0].where, "r.yaml:3:5");
  EXPECT_EQ(b->items[1].find("y")->items[0].where, "r.yaml:4:9");
  EXPECT_EQ(document.root.find("c"), nullptr);
}

TEST(Document, refuses_aliases_and_anchors) {
  EXPECT_EQ(error_of("a: &x 1\nb: *x\n"),
            "r.yaml:1:4: an anchor (&name); allowed: values written out; remove the anchor");
  EXPECT_THAT(error_of("a: *x\n"), HasSubstr("r.yaml:1:4"));
  EXPECT_THAT(error_of("a: &x [1]\n"), HasSubstr("an anchor"));
  EXPECT_THAT(error_of("a: &x\n"), HasSubstr("an anchor"));
  EXPECT_THAT(error_of("&x a: 1\n"), HasSubstr("an anchor"));
}

TEST(Document, refuses_an_alias_bomb_and_a_cycle_at_once) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    bomb += fmt::format("a{0}: &a{0} [", i);
    for (int j = 0; j < 10; ++j) bomb += fmt::format("{}*a{}", j ? ", " : "", i - 1);
    bomb += "]\n";
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(error_of(bomb), HasSubstr("an anchor"));
  EXPECT_THAT(error_of("a: &a [*a, *a]\n"), HasSubstr("an anchor"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST(Document, refuses_merge_keys_tags_and_keys_that_are_no_names) {
  EXPECT_THAT(error_of("<<: {a: 1}\n"), HasSubstr("r.yaml:1:1: a merge key"));
  EXPECT_THAT(error_of("a: !!python/object:os.system x\n"), HasSubstr("r.yaml:1:4: the tag"));
  EXPECT_THAT(error_of("a: !!str x\n"), HasSubstr("the tag"));
  EXPECT_THAT(error_of("a: !thing {b: 1}\n"), HasSubstr("the tag '!thing'"));
  EXPECT_THAT(error_of("{a: 1}: 2\n"), HasSubstr("a map as a key"));
  EXPECT_THAT(error_of("? [a]\n: 2\n"), HasSubstr("a list as a key"));
  EXPECT_THAT(error_of(": 2\n"), HasSubstr("an empty value as a key"));
}

TEST(Document, refuses_a_second_document) {
  EXPECT_EQ(error_of("a: 1\n---\nb: 2\n").substr(0, 35), "r.yaml:2:1: a second document; allo");
  EXPECT_EQ(error_of("---\na: 1\n...\n"), "good");
}

TEST(Document, refuses_tabs_control_characters_and_other_encodings) {
  EXPECT_EQ(error_of("a:\n\tb: 1\n"), "r.yaml:2:1: a tab; allowed: spaces; replace every tab by spaces");
  EXPECT_THAT(error_of("a: 1\n\xff\xfe"), HasSubstr("r.yaml:2:1: bytes that are not UTF-8"));
  EXPECT_THAT(error_of(std::string("a\0: 1", 6)), HasSubstr("r.yaml:1:2: the control character 0x00"));
  EXPECT_THAT(error_of("a: \x04\n"), HasSubstr("0x04"));
  EXPECT_THAT(error_of("a: \xc0\x80\n"), HasSubstr("not UTF-8"));          // an overlong NUL
  EXPECT_THAT(error_of("a: \xed\xa0\x80\n"), HasSubstr("not UTF-8"));      // a surrogate
  EXPECT_THAT(error_of("a: \xf4\x90\x80\x80\n"), HasSubstr("not UTF-8"));  // above U+10FFFF
  EXPECT_EQ(error_of("\xef\xbb\xbf"
                     "a: gr\xc3\xbcn \xf0\x9f\x8e\xb5\r\n"),
            "good");
}

TEST(Document, refuses_what_is_no_map) {
  EXPECT_THAT(error_of(""), HasSubstr("an empty file"));
  EXPECT_THAT(error_of("# only a comment\n"), HasSubstr("an empty file"));
  EXPECT_THAT(error_of("- a\n"), HasSubstr("a list; allowed: a map of keys"));
  EXPECT_THAT(error_of("text\n"), HasSubstr("'text'; allowed: a map"));
}

TEST(Document, says_where_the_yaml_cannot_be_read) {
  EXPECT_THAT(error_of("a: [1, 2\n"), HasSubstr("r.yaml:2:1: this is not YAML that can be read"));
  EXPECT_THAT(error_of("a: 1\n  b: 2\n"), HasSubstr("r.yaml:1:4: text over several lines"));
  EXPECT_THAT(error_of("a: \"\\q\"\n"), HasSubstr("r.yaml:1:"));
}

// The reader underneath would take each of these for a value.
TEST(Document, refuses_text_that_runs_over_its_line) {
  EXPECT_THAT(error_of("a: 'x\n"), HasSubstr("r.yaml:1:4: a quote that is not closed on its line"));
  EXPECT_THAT(error_of("a: \"x\nb: 2\n"), HasSubstr("r.yaml:1:4: a quote that is not closed"));
  EXPECT_THAT(error_of("a: 1\n'"), HasSubstr("r.yaml:2:1: "));
  EXPECT_THAT(error_of("a: 1\n b\n"), HasSubstr("r.yaml:1:4: text over several lines"));
  EXPECT_THAT(error_of("a: |\n  x\n  y\n"), HasSubstr("the tag"));
  EXPECT_EQ(error_of("a: 'it''s'\nb: \"say \\\"x\\\"\" # c\n'c' : \"d\\\\\"\n"), "good");
}

TEST(Document, limits_size_depth_and_count) {
  EXPECT_THAT(error_of("a: " + std::string(1 << 20, 'x')), HasSubstr("up to 1048576 bytes"));
  EXPECT_THAT(error_of("a: " + std::string(100000, '[')), HasSubstr("more than 16 levels"));
  EXPECT_THAT(error_of("a: " + std::string(100000, '{')), HasSubstr("r.yaml:1:"));
  std::string nested;
  for (int depth = 0; depth < 500; ++depth)
    nested += std::string(static_cast<std::size_t>(depth), ' ') + "a:\n";
  EXPECT_THAT(error_of(nested), HasSubstr("more than 16 levels"));
  std::string many = "a: [";
  for (int i = 0; i < 60000; ++i) many += "1,";
  EXPECT_THAT(error_of(many + "]"), HasSubstr("more than 50000 values"));
}

TEST(Document, text_survives_being_written) {
  for (const std::string text :
       {"plain", "true", "Null", "off", "010", "1e5", "a b",   "a: b",   "#x",  "- x",
        "\"",    "\\",   "\\n",  "*x",  "&x",  "!x",  "%x",    "@x",     "`x",  "gr\xc3\xbcn",
        "<<",    "=",    "a,b",  "[x]", "'",   "~",   " lead", "trail ", "---", ""}) {
    const auto node = read_yaml_value(fmt::format("[{}]", yaml_string(text)), "x").items.at(0);
    std::vector<Complaint> complaints;
    EXPECT_EQ(option_value(node, complaints), OptionValue(text)) << text;
  }
}

}  // namespace
}  // namespace compress
