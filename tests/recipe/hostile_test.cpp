// Files that nobody wrote on purpose: whatever the bytes, there is a recipe or one clear error.
#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libcompress/base/random.h"
#include "libcompress/recipe/recipe.h"
#include "tests/recipe/recipes.h"

namespace compress {
namespace {

std::size_t index_below(Random& random, std::size_t bound) {
  return static_cast<std::size_t>(random.below(static_cast<std::int64_t>(bound)));
}

/// One to four small changes: a byte, a cut, a repeated piece, or two pieces of syntax.
std::string mutated(std::string text, Random& random) {
  static const std::string syntax[] = {"&a ", "*a", "<<: ", "---\n", "? ",  ": ",  "- ", "[",    "]",
                                       "{",   "}",  "\"",   "'",     "|\n", ">\n", "!",  "%",    "#",
                                       ",",   "\n", "  ",   "\t",    "010", "-",   "~",  "1e999"};
  for (auto changes = 1 + random.below(4); changes > 0; --changes) {
    const auto at = index_below(random, text.size() + 1);
    switch (random.below(5)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(random.below(256));
        break;
      case 1:
        text.erase(at, index_below(random, 8));
        break;
      case 2:
        text.insert(at, text.substr(index_below(random, text.size() + 1), index_below(random, 40)));
        break;
      case 3:
        text.insert(at, syntax[index_below(random, std::size(syntax))]);
        break;
      case 4:
        text.resize(at);
        break;
    }
    if (text.empty()) text.push_back('x');
  }
  return text;
}

TEST(HostileRecipe, is_a_recipe_or_one_error_of_kind_recipe) {
  Random random(2024);
  int good = 0;
  for (int round = 0; round < 2000; ++round) {
    const auto text = mutated(full_recipe, random);
    try {
      const auto recipe = parse_recipe(text, "r.yaml");
      ++good;
      // What is accepted is understood: it writes and reads back the same.
      ASSERT_EQ(parse_recipe(to_yaml(recipe), "r.yaml"), recipe) << text << "\n->\n" << to_yaml(recipe);
      ASSERT_TRUE(check_recipe(text, "r.yaml").empty());
    } catch (const Error& error) {
      ASSERT_EQ(error.kind(), ErrorKind::recipe) << error.what() << "\n" << text;
      ASSERT_THAT(error.what(), testing::StartsWith("r.yaml:")) << text;
      ASSERT_FALSE(check_recipe(text, "r.yaml").empty());
    }
  }
  EXPECT_GT(good, 50);
}

TEST(HostileRecipe, of_random_bytes_is_refused) {
  Random random(7);
  for (int round = 0; round < 500; ++round) {
    std::string text(index_below(random, 300), ' ');
    for (auto& c : text) c = static_cast<char>(32 + random.below(95));
    EXPECT_THROW(parse_recipe(text, "r.yaml"), Error);
  }
}

TEST(HostileRecipe, of_the_largest_size_is_refused_quickly) {
  for (const std::string piece : {"a: ", "- ", "[", "{", "? ", "\"", "a: b\n", "&a ", "x: *x\n", "!", "- - ",
                                  "[a, ", "{a: ", "'", "|\n ", "# ", "%", "a b "}) {
    std::string text;
    while (text.size() + piece.size() <= (std::size_t{1} << 20)) text += piece;
    const auto before = std::clock();  // processor time: the machine may be busy
    EXPECT_THROW(parse_recipe(text, "r.yaml"), Error) << piece;
    EXPECT_LT(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC, 10.0) << piece;
  }
}

}  // namespace
}  // namespace compress
