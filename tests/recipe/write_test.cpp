#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libcompress/recipe/recipe.h"
#include "tests/recipe/recipes.h"

namespace compress {
namespace {

using testing::HasSubstr;

TEST(ResolvedRecipe, parses_back_to_the_same_value) {
  for (const auto& text :
       {smallest_recipe, full_recipe, smallest_recipe + "train: {}\nexport: {}\nquantize: {}\n"}) {
    const auto recipe = parse_recipe(text, "folder/r.yaml");
    const auto yaml = to_yaml(recipe);
    EXPECT_EQ(parse_recipe(yaml, "folder/other.yaml"), recipe) << yaml;
    EXPECT_EQ(to_yaml(parse_recipe(yaml, "folder/other.yaml")), yaml);
  }
}

TEST(ResolvedRecipe, has_every_default_written_out) {
  const auto yaml =
      to_yaml(parse_recipe(smallest_recipe + "prune: {budget: {params: 20%}, fine_tune: {}}\n", "demo.yaml"));
  for (const auto* line :
       {"version: 1\n", "name: demo\n", "seed: 1\n", "prune:\n", "  criterion:\n    plugin: taylor\n",
        "    params: 20%\n", "  tolerance: 0.5%\n", "  round_to: 1\n", "  ignore: []\n",
        "    milestones: [0.3, 0.6, 0.9]\n", "  microcontroller: auto\n"})
    EXPECT_THAT(yaml, HasSubstr(line));
  EXPECT_THAT(yaml, testing::Not(HasSubstr("\ntrain:")));
}

TEST(ResolvedRecipe, keeps_every_digit) {
  const auto recipe = parse_recipe(
      smallest_recipe + "train: {learning_rate: 0.012345678901234567, weight_decay: 1e-7}\n", "r.yaml");
  EXPECT_EQ(parse_recipe(to_yaml(recipe), "r.yaml").train, recipe.train);
}

TEST(ResolvedRecipe, can_be_set_key_by_key_to_what_it_holds) {
  const auto recipe = parse_recipe(full_recipe, "r.yaml");
  for (const auto* same :
       {"seed=7", "prune.budget.flash=96KB", "model.options.label=\"010\"", "verify.clips=3"})
    EXPECT_EQ(apply_override(recipe, same), recipe) << same;
}

}  // namespace
}  // namespace compress
