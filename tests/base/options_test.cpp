#include "libcompress/base/options.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libcompress/base/catalog.h"
#include "libcompress/base/error.h"

namespace compress {
namespace {

using testing::HasSubstr;
using Given = std::map<std::string, OptionValue>;

OptionTable table() {
  return {
      {.name = "scope", .help = "where", .fallback = "global", .choices = {"global", "local"}},
      {.name = "steps",
       .type = OptionType::integer,
       .help = "steps",
       .fallback = std::int64_t{4},
       .minimum = 1.0,
       .maximum = 100.0},
      {.name = "ratio",
       .type = OptionType::number,
       .help = "ratio",
       .fallback = 0.5,
       .minimum = 0.0,
       .maximum = 1.0},
      {.name = "sizes", .type = OptionType::integers, .help = "sizes", .minimum = 1.0},
      {.name = "weights", .type = OptionType::numbers, .help = "weights"},
      {.name = "folder", .type = OptionType::path, .help = "the folder", .required = true},
  };
}

std::string error_of(const Given& given) {
  try {
    Options::checked(table(), given, "criterion 'x'");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::recipe);
    return error.what();
  }
  return "none";
}

TEST(Options, fall_back_to_the_table) {
  const auto options = Options::checked(table(), {{"folder", "a"}}, "x");
  EXPECT_EQ(options.string("scope"), "global");
  EXPECT_EQ(options.integer("steps"), 4);
  EXPECT_EQ(options.number("ratio"), 0.5);
  EXPECT_EQ(options.string("folder"), "a");
  EXPECT_FALSE(options.has("sizes"));
}

TEST(Options, widen_integers_to_numbers) {
  const auto options = Options::checked(
      table(), {{"folder", "a"}, {"ratio", std::int64_t{1}}, {"weights", std::vector<std::int64_t>{1, 2}}},
      "x");
  EXPECT_EQ(options.number("ratio"), 1.0);
  EXPECT_EQ(options.numbers("weights"), (std::vector<double>{1, 2}));
}

TEST(Options, take_an_empty_list_for_any_list) {
  const auto options =
      Options::checked(table(), {{"folder", "a"}, {"sizes", std::vector<std::string>{}}}, "x");
  EXPECT_TRUE(options.integers("sizes").empty());
}

TEST(Options, name_the_nearest_known_name) {
  EXPECT_EQ(error_of({{"folder", "a"}, {"setps", std::int64_t{1}}}),
            "criterion 'x': unknown option 'setps'; allowed: scope, steps, ratio, sizes, weights, folder; "
            "did you mean 'steps'?");
}

TEST(Options, refuse_wrong_types_ranges_and_choices) {
  EXPECT_THAT(error_of({{"folder", "a"}, {"steps", 1.5}}),
              HasSubstr("a number (1.5); allowed: an integer from 1"));
  EXPECT_THAT(error_of({{"folder", std::int64_t{3}}}), HasSubstr("put it in quotes"));
  EXPECT_THAT(error_of({{"folder", "a"}, {"ratio", 1.5}}), HasSubstr("1.5; allowed: a number from 0 to 1"));
  EXPECT_THAT(error_of({{"folder", "a"}, {"ratio", std::nan("")}}), HasSubstr("nan"));
  EXPECT_THAT(error_of({{"folder", "a"}, {"sizes", std::vector<std::int64_t>{3, 0}}}),
              HasSubstr("at least 1"));
  EXPECT_THAT(error_of({{"folder", "a"}, {"scope", "globel"}}), HasSubstr("did you mean 'global'?"));
  EXPECT_THAT(error_of({}), HasSubstr("option 'folder' is missing"));
}

TEST(NearestName, finds_typing_errors_only) {
  const std::vector<std::string> known{"learning_rate", "epochs", "seed", "weight_decay"};
  EXPECT_EQ(nearest_name("epoch", known), "epochs");
  EXPECT_EQ(nearest_name("epcohs", known), "epochs");
  EXPECT_EQ(nearest_name("Learning-Rate", known), "learning_rate");
  EXPECT_EQ(nearest_name("sed", known), "seed");
  EXPECT_EQ(nearest_name("banana", known), "");
  EXPECT_EQ(nearest_name("", known), "");
  EXPECT_EQ(nearest_name(std::string(100000, 'x'), known), "");
}

TEST(OptionValues, print_so_that_their_type_is_seen) {
  EXPECT_EQ(to_string(OptionValue(1.0)), "1.0");
  EXPECT_EQ(to_string(OptionValue(0.1)), "0.1");
  EXPECT_EQ(to_string(OptionValue(std::int64_t{1})), "1");
  EXPECT_EQ(to_string(OptionValue(true)), "true");
  EXPECT_EQ(to_string(OptionValue(std::vector<double>{1, 0.5})), "[1.0, 0.5]");
}

struct Thing {
  virtual ~Thing() = default;
};

TEST(Catalog, refuses_a_name_twice_and_names_the_nearest) {
  Catalog<Thing> catalog("thing");
  const auto make = [](const Options&) { return std::make_unique<Thing>(); };
  catalog.add("taylor", "a thing", {}, make);
  EXPECT_NE(catalog.make("taylor", {}), nullptr);
  EXPECT_THROW(catalog.add("taylor", "again", {}, make), Error);
  try {
    catalog.make("tailor", {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::plugin);
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'taylor'?"));
  }
}

}  // namespace
}  // namespace compress
