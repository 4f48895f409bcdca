#include "libcompress/pipeline/target_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libcompress/base/error.h"
#include "models/acdnet/acdnet.h"

namespace compress {
namespace {

using testing::HasSubstr;

Graph small_acdnet() {
  Catalog<ModelSource> catalog("model");
  register_acdnet(catalog);
  Random random(7);
  return catalog
      .make("acdnet", {{"classes", std::int64_t{4}},
                       {"sample_rate", std::int64_t{8000}},
                       {"input_length", std::int64_t{4000}}})
      ->fresh(random)
      .graph;
}

Target chip(std::int64_t flash, std::int64_t ram) {
  Target target{"chip", "cortex-m4"};
  target.flash_bytes = flash;
  target.ram_bytes = ram;
  return target;
}

std::string complaint_about(const Target& target, const Graph& graph) {
  try {
    refuse_unfit(target, graph);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::budget);
    return error.what();
  }
  return "it fits";
}

TEST(TargetFit, lets_pass_what_fits_and_what_has_no_limits) {
  const auto graph = small_acdnet();
  const auto cost = cost_of(graph);
  EXPECT_EQ(complaint_about(chip(cost.flash_bytes, cost.peak_ram_bytes), graph), "it fits");
  EXPECT_EQ(complaint_about(load_target("cortex-m4"), graph), "it fits");
  EXPECT_NO_THROW(refuse_unfit(std::nullopt, graph));
}

TEST(TargetFit, names_the_memory_that_is_too_small_and_the_layers_that_need_most) {
  const auto graph = small_acdnet();
  const auto cost = cost_of(graph);
  const auto flash = complaint_about(chip(cost.flash_bytes - 1, cost.peak_ram_bytes), graph);
  EXPECT_THAT(flash, HasSubstr("target 'chip': constants need "));
  EXPECT_THAT(flash, HasSubstr(" parameters)"));
  EXPECT_THAT(flash, HasSubstr("set prune.budget.flash to less than"));
  const auto ram = complaint_about(chip(cost.flash_bytes, cost.peak_ram_bytes - 1), graph);
  EXPECT_THAT(ram, HasSubstr("target 'chip': activations need "));
  EXPECT_THAT(ram, HasSubstr("set prune.budget.peak_ram to less than"));
}

TEST(TargetFit, takes_the_target_from_the_recipe) {
  Recipe recipe;
  EXPECT_FALSE(target_of(recipe));
  recipe.exporting = ExportOptions{};
  EXPECT_FALSE(target_of(recipe));
  recipe.exporting->target = "cortex-m7";
  EXPECT_EQ(target_of(recipe)->core, "cortex-m7");
  recipe.exporting->target = "none.yaml";
  EXPECT_THROW(target_of(recipe), Error);
}

}  // namespace
}  // namespace compress
