#include "libcompress/pipeline/target_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

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

template <typename Network>
std::string complaint_about(const Target& target, const Network& network) {
  try {
    refuse_unfit(target, network);
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

TEST(TargetFit, looks_at_the_bytes_of_what_was_exported) {
  ExportResult result;
  result.constant_bytes = 4000;
  result.arena_bytes = 700;
  result.arena = {{"small", 0, 100, 0, 1}, {"large", 100, 600, 0, 2}};
  EXPECT_EQ(complaint_about(chip(4000, 700), result), "it fits");
  EXPECT_EQ(complaint_about(load_target("cortex-m4"), result), "it fits");
  EXPECT_THAT(complaint_about(chip(3999, 700), result), HasSubstr("exported constants of 4,000 bytes"));
  const auto ram = complaint_about(chip(4000, 699), result);
  EXPECT_THAT(ram, HasSubstr("an exported arena of 700 bytes, most for large (600), small (100)"));
  EXPECT_THAT(ram, HasSubstr("699 bytes of RAM"));
}

TEST(TargetFit, leaves_the_memory_of_rows_to_the_export) {
  Recipe recipe;
  EXPECT_FALSE(target_before_export(recipe));
  recipe.exporting = ExportOptions{};
  recipe.exporting->choice.options["memory"] = std::string("whole");
  const auto file = std::filesystem::path(testing::TempDir()) / "chip.yaml";
  std::ofstream(file) << "name: chip\ncore: cortex-m4\nflash: 64KiB\nram: 8KiB\n";
  recipe.exporting->target = file.string();
  EXPECT_EQ(target_before_export(recipe)->ram_bytes, 8192);
  recipe.exporting->choice.options["memory"] = std::string("stream");
  EXPECT_FALSE(target_before_export(recipe)->ram_bytes);
  EXPECT_EQ(target_before_export(recipe)->flash_bytes, 65536);
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
