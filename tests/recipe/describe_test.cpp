#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "libcompress/recipe/keys.h"
#include "libcompress/recipe/recipe.h"

namespace compress {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

TEST(RecipeSchema, is_json_and_has_every_key_with_its_help) {
  const auto schema = Json::parse(recipe_schema());
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(schema["required"], (Json{"version", "model", "data"}));
  int keys = 0;
  for_each_key([&](const Key& key, const std::string& path) {
    const Json* at = &schema;
    std::size_t from = 0;
    while (from <= path.size()) {
      const auto dot = std::min(path.find('.', from), path.size());
      ASSERT_TRUE(at->contains("properties")) << path;
      ASSERT_TRUE((*at)["properties"].contains(path.substr(from, dot - from))) << path;
      at = &(*at)["properties"][path.substr(from, dot - from)];
      from = dot + 1;
    }
    EXPECT_EQ((*at)["description"], key.spec.help) << path;
    EXPECT_FALSE(key.spec.help.empty()) << path;
    ++keys;
  });
  EXPECT_GT(keys, 60);
}

TEST(RecipeSchema, has_ranges_choices_and_defaults) {
  const auto properties = Json::parse(recipe_schema())["properties"];
  EXPECT_EQ(properties["train"]["properties"]["epochs"]["minimum"], 1);
  EXPECT_EQ(properties["train"]["properties"]["epochs"]["default"], TrainOptions{}.epochs);
  EXPECT_EQ(properties["train"]["properties"]["schedule"]["enum"], (Json{"step", "cosine"}));
  EXPECT_EQ(properties["prune"]["properties"]["tolerance"]["default"], "0.5%");
  EXPECT_EQ(properties["prune"]["properties"]["budget"]["minProperties"], 1);
}

TEST(RecipeHelp, names_every_key_with_what_it_allows) {
  const auto help = recipe_help();
  for_each_key([&](const Key& key, const std::string& path) {
    EXPECT_THAT(help, HasSubstr(key.spec.name + ":")) << path;
    EXPECT_THAT(help, HasSubstr(key.spec.help)) << path;
  });
  EXPECT_THAT(help, HasSubstr("an integer from 1 to 1000; default 8"));
  EXPECT_EQ(help.find('\t'), std::string::npos);
}

TEST(RecipeKeys, have_defaults_that_their_own_rows_allow) {
  const auto fresh = complete_recipe();
  for_each_key([&](const Key& key, const std::string& path) {
    auto value = default_of(key, fresh);
    if (key.form != KeyForm::plain || !value) return;
    EXPECT_FALSE(fit_option(key.spec, *value, "")) << path;
  });
}

}  // namespace
}  // namespace compress
