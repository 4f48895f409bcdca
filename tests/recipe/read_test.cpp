#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libcompress/base/files.h"
#include "libcompress/recipe/recipe.h"
#include "tests/recipe/recipes.h"

namespace compress {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// What is said about `text` in a file named r.yaml; "good" if nothing.
std::string error_of(const std::string& text, const RecipeContext& context = {}) {
  try {
    parse_recipe(text, "r.yaml", context);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::recipe) << error.what();
    return error.what();
  }
  return "good";
}

std::string with(const std::string& lines) { return smallest_recipe + lines; }

PluginTables plugins() {
  PluginTables tables;
  tables["model"]["net"] = {
      {.name = "classes",
       .type = OptionType::integer,
       .help = "number of classes",
       .minimum = 2.0,
       .required = true},
      {.name = "dropout", .type = OptionType::number, .help = "dropout", .fallback = 0.5, .maximum = 1.0}};
  tables["data set"]["sounds"] = {
      {.name = "folder", .type = OptionType::path, .help = "folder", .fallback = "data"}};
  tables["data set"]["noise"] = {};
  tables["observer"]["minmax"] = {};
  return tables;
}

TEST(Recipe, needs_only_version_model_and_data) {
  const auto recipe = parse_recipe(smallest_recipe, "folder/my recipe.yaml");
  EXPECT_EQ(recipe.name, "my_recipe");
  EXPECT_EQ(recipe.folder, "folder");
  EXPECT_EQ(recipe.seed, 1);
  EXPECT_FALSE(recipe.train);
  EXPECT_FALSE(recipe.prune);
  EXPECT_FALSE(recipe.quantize);
  EXPECT_FALSE(recipe.exporting);
  EXPECT_FALSE(recipe.gate);
  EXPECT_EQ(recipe.verify, VerifyOptions{});
}

TEST(Recipe, reads_every_key) {
  const auto recipe = parse_recipe(full_recipe, "r.yaml");
  EXPECT_EQ(recipe.name, "demo-1");
  EXPECT_EQ(recipe.threads, 2);
  EXPECT_THAT(recipe.plugins, ElementsAre("lib/mine.so", "/opt/theirs.so"));
  EXPECT_EQ(recipe.model.checkpoint, "weights/net.safetensors");
  const auto& options = recipe.model.choice.options;
  EXPECT_EQ(options.at("classes"), OptionValue(std::int64_t{10}));
  EXPECT_EQ(options.at("channels"), OptionValue(std::vector<std::int64_t>{8, 64, 32}));
  EXPECT_EQ(options.at("dropout"), OptionValue(0.25));
  EXPECT_EQ(options.at("wide"), OptionValue(true));
  EXPECT_EQ(options.at("label"), OptionValue("010"));
  EXPECT_EQ(options.at("scales"), OptionValue(std::vector<double>{1, 2}));
  EXPECT_EQ(options.at("names"), OptionValue(std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(recipe.train, (TrainOptions{20, 32, 0.05, 0.8, false, 1e-3, 2, "cosine", {0.5}, 0.2}));
  ASSERT_TRUE(recipe.prune);
  EXPECT_EQ(recipe.prune->criterion.plugin, "magnitude");
  EXPECT_EQ(recipe.prune->criterion.options.at("norm"), OptionValue(std::int64_t{2}));
  EXPECT_EQ(recipe.prune->strategy.plugin, "hybrid");
  using Kind = BudgetLimit::Kind;
  EXPECT_EQ(recipe.prune->budget.params, (BudgetLimit{Kind::percent, 20}));
  EXPECT_EQ(recipe.prune->budget.flash, (BudgetLimit{Kind::absolute, 96000}));
  EXPECT_EQ(recipe.prune->budget.macs, (BudgetLimit{Kind::absolute, 1e7}));
  EXPECT_EQ(recipe.prune->budget.peak_ram, (BudgetLimit{Kind::absolute, 65536}));
  EXPECT_EQ(recipe.prune->tolerance_percent, 0.5);
  EXPECT_THAT(recipe.prune->ratios, ElementsAre("conv3=50%", "block*=80%"));
  EXPECT_THAT(recipe.prune->ignore, ElementsAre("conv?", "fc*"));
  ASSERT_TRUE(recipe.prune->fine_tune);
  EXPECT_EQ(recipe.prune->fine_tune->epochs, 3);
  EXPECT_EQ(recipe.prune->fine_tune->momentum, 0.9);
  EXPECT_EQ(recipe.prune->fine_tune->distillation, (DistillationOptions{3, 0.9}));
  EXPECT_TRUE(recipe.prune->stop_at_gate);
  ASSERT_TRUE(recipe.prune->group_lasso);
  EXPECT_EQ(recipe.prune->group_lasso->strength, 0.02);
  EXPECT_EQ(recipe.prune->group_lasso->epochs, 5);
  EXPECT_EQ(recipe.prune->group_lasso->schedule, "cosine");
  EXPECT_EQ(recipe.quantize,
            (QuantizeOptions{
                .profile = "tflite-micro", .observer = "percentile", .percentile = 99.9, .samples = 16}));
  EXPECT_EQ(recipe.exporting->also, std::vector<std::string>{"tflite"});
  EXPECT_EQ(recipe.exporting->name, "demo_net");
  EXPECT_EQ(recipe.verify, (VerifyOptions{4, 3, "off"}));
  EXPECT_EQ(recipe.gate->max_drop, 5.0);
  EXPECT_EQ(recipe.gate->min_accuracy, 70.0);
}

TEST(Recipe, gives_the_export_the_name_of_the_recipe) {
  EXPECT_EQ(parse_recipe(with("quantize: {}\nexport: {}\nname: a-b\n"), "r.yaml").exporting->name, "a_b");
  EXPECT_EQ(parse_recipe(with("quantize: {}\nexport: {}\n"), "int.yaml").exporting->name, "int_");
  EXPECT_EQ(parse_recipe(with("quantize: {}\nexport: {}\n"), "8 bit.yaml").exporting->name, "_8_bit");
}

TEST(Recipe, takes_each_exporter_once) {
  EXPECT_THAT(error_of(with("quantize: {}\nexport: {plugin: c, also: [tflite, c]}\n")),
              testing::HasSubstr("'c' twice"));
}

TEST(Recipe, wants_quantize_for_what_is_behind_the_8_bit_boundary) {
  EXPECT_THAT(error_of(with("export: {}\n")), testing::HasSubstr("an export without the section quantize"));
  EXPECT_THAT(error_of(with("gate: {max_drop: 1}\n")),
              testing::HasSubstr("a gate without the section quantize or prune"));
  EXPECT_EQ(error_of(with("prune: {budget: {params: 20%}}\ngate: {max_drop: 1}\n")), "good");
}

TEST(Recipe, names_the_nearest_key_at_its_place) {
  EXPECT_THAT(error_of(with("sede: 3\n")),
              testing::StartsWith("r.yaml:4:1: unknown key 'sede'; allowed: version, name, seed,"));
  EXPECT_THAT(error_of(with("sede: 3\n")), HasSubstr("did you mean 'seed'?"));
  EXPECT_EQ(error_of(with("verify:\n  vectors: 3\n  clip: 4\n")),
            "r.yaml:6:3: unknown key 'clip' in 'verify'; allowed: vectors, clips, microcontroller; "
            "did you mean 'clips'?");
  EXPECT_THAT(error_of(with("prune: {budget: {param: 20%}}\n")), HasSubstr("did you mean 'params'?"));
}

TEST(Recipe, says_where_a_key_belongs_that_is_in_the_wrong_section) {
  EXPECT_THAT(error_of(with("round_to: 4\n")), HasSubstr("there is a 'prune.round_to'"));
}

TEST(Recipe, refuses_a_key_given_twice) {
  EXPECT_EQ(error_of(with("seed: 3\nseed: 3\n")),
            "r.yaml:5:1: key 'seed' given twice, first at r.yaml:4:1; allowed: each key once; remove one of "
            "the two");
  EXPECT_THAT(error_of(with("prune: {budget: {params: 1%, params: 2%}}\n")),
              HasSubstr("r.yaml:4:30: key 'params' given"));
  EXPECT_THAT(error_of(with("quantize: {}\n\"quantize\": {}\n")), HasSubstr("given twice"));
}

TEST(Recipe, says_what_is_missing) {
  EXPECT_EQ(error_of("model: {plugin: net}\ndata: {plugin: sounds}\n"),
            "r.yaml:1:1: key 'version' is missing; allowed: 1; it is: version of this "
            "language");
  EXPECT_THAT(error_of("version: 1\nmodel:\n  options: {}\ndata: {plugin: x}\n"),
              HasSubstr("r.yaml:2:1: model has none of plugin, file; allowed: one of plugin, file"));
  EXPECT_THAT(error_of(with("prune: {}\n")), HasSubstr("r.yaml:4:1: key 'prune.budget' is missing"));
  EXPECT_THAT(error_of(with("prune: {budget: {}}\n")),
              HasSubstr("at least one of params, flash, macs, peak_ram"));
  EXPECT_THAT(error_of(with("gate: {}\n")), HasSubstr("r.yaml:4:1: gate is empty"));
}

TEST(Recipe, refuses_wrong_types_at_their_place) {
  EXPECT_EQ(error_of(with("seed: abc\n")),
            "r.yaml:4:7: seed is a string (abc); allowed: an integer of at least 0");
  EXPECT_THAT(error_of(with("seed: 1.0\n")), HasSubstr("a number (1.0); allowed: an integer"));
  EXPECT_THAT(error_of(with("seed: \"1\"\n")), HasSubstr("a string (1); allowed: an integer"));
  EXPECT_THAT(error_of(with("seed: [1]\n")), HasSubstr("a list of integers"));
  EXPECT_THAT(error_of(with("seed: {a: 1}\n")), HasSubstr("seed is a map; allowed: a single value"));
  EXPECT_THAT(error_of(with("seed:\n")), HasSubstr("r.yaml:4:1: seed is an empty value"));
  EXPECT_THAT(error_of(with("seed: ~\n")), HasSubstr("an empty value"));
  EXPECT_THAT(error_of(with("name: 10\n")), HasSubstr("put it in quotes"));
  EXPECT_THAT(error_of(with("train: {nesterov: yes}\n")),
              HasSubstr("a string (yes); allowed: true or false"));
  EXPECT_THAT(error_of(with("train: 5\n")), HasSubstr("train is '5'; allowed: a map of epochs,"));
  EXPECT_THAT(error_of(with("train:\n")), HasSubstr("write {} for the defaults"));
  EXPECT_THAT(error_of(with("prune: {budget: {params: 1%}, ignore: conv1}\n")),
              HasSubstr("allowed: a list of strings"));
  EXPECT_THAT(error_of(with("prune: {budget: {params: 1%}, ignore: [conv1, 2]}\n")),
              HasSubstr("a list of text and numbers"));
  EXPECT_THAT(error_of(with("prune: {budget: {params: 1%}, ignore: [[a]]}\n")),
              HasSubstr("a list; allowed: a single value"));
  EXPECT_THAT(error_of(with("prune: {budget: {params: 1%}, ignore: [\"\"]}\n")), HasSubstr("empty text"));
}

TEST(Recipe, refuses_numbers_that_others_read_as_octal) {
  EXPECT_EQ(error_of(with("seed: 010\n")),
            "r.yaml:4:7: seed is '010', a number with a leading zero; allowed: decimal numbers; other "
            "readers take it "
            "for octal: remove the zero, or put text in quotes");
  EXPECT_THAT(error_of("version: 1\nmodel: {plugin: net, options: {classes: 010}}\ndata: {plugin: x}\n"),
              HasSubstr("r.yaml:2:41: '010', a number with a leading zero"));
  EXPECT_THAT(error_of(with("seed: -00\n")), HasSubstr("leading zero"));
  EXPECT_THAT(error_of(with("seed: 0x10\n")), HasSubstr("a string (0x10)"));
  EXPECT_THAT(error_of(with("seed: 1_000\n")), HasSubstr("a string (1_000)"));
  EXPECT_EQ(error_of(with("seed: 0\n")), "good");
}

TEST(Recipe, refuses_values_out_of_range) {
  EXPECT_EQ(error_of("version: 2\nmodel: {plugin: net}\ndata: {plugin: x}\n"),
            "r.yaml:1:10: version is 2; allowed: 1");
  EXPECT_THAT(error_of(with("seed: -1\n")), HasSubstr("seed is -1; allowed: an integer of at least 0"));
  EXPECT_THAT(error_of(with("seed: 99999999999999999999\n")), HasSubstr("too large"));
  EXPECT_THAT(error_of(with("train: {learning_rate: 1e999}\n")), HasSubstr("too large"));
  EXPECT_THAT(error_of(with("train: {learning_rate: .nan}\n")), HasSubstr("a string (.nan)"));
  EXPECT_THAT(error_of(with("train: {milestones: [0.1, 1.5]}\n")), HasSubstr("1.5; allowed"));
  EXPECT_THAT(error_of(with("train: {schedule: stepp}\n")), HasSubstr("did you mean 'step'?"));
  EXPECT_THAT(error_of(with("name: 2x\n")), HasSubstr("first a letter"));
  EXPECT_THAT(error_of(with("export: {name: my-net}\n")), HasSubstr("a C identifier"));
  EXPECT_THAT(error_of(with("export: {name: int}\n")), HasSubstr("no keyword"));
  EXPECT_THAT(error_of("version: 1\nmodel: {plugin: \"\"}\ndata: {plugin: x}\n"),
              HasSubstr("model.plugin is ''"));
}

TEST(Recipe, refuses_budgets_and_percentages_that_are_neither) {
  const auto budget = [](const std::string& text) {
    return error_of(with("prune: {budget: {" + text + "}}\n"));
  };
  for (const auto* text :
       {"params: 20", "params: 0.5%", "params: 100%", "flash: 1.5MB", "flash: 10%", "macs: 1"})
    EXPECT_EQ(budget(text), "good") << text;
  for (const auto* text : {"params: 0", "params: -5", "params: 1.5", "params: 0%", "params: 101%",
                           "params: 20 %", "params: 20KB", "params: 1e6", "flash: 1.5", "flash: 0.0001KB",
                           "flash: 5kb", "flash: [1]", "macs: lots", "params: 010", "params:"})
    EXPECT_THAT(budget(text), HasSubstr("r.yaml:4:")) << text;
  EXPECT_THAT(error_of(with("prune: {budget: {params: 1%}, tolerance: 2}\n")), HasSubstr("did you mean 2%?"));
}

TEST(Recipe, refuses_a_ratio_that_is_none) {
  const auto ratio = [](const std::string& text) {
    return error_of(with("prune: {budget: {params: 1%}, ratios: [" + text + "]}\n"));
  };
  EXPECT_EQ(ratio("conv1=50%, \"block*=80%\""), "good");
  for (const auto* text : {"conv1", "conv1=0.5", "=50%", "conv1=0%", "conv1=101%"})
    EXPECT_THAT(ratio(text), HasSubstr("a name pattern and a percentage")) << text;
}

TEST(Recipe, checks_keys_against_each_other) {
  EXPECT_THAT(error_of(with("train: {milestones: [0.6, 0.3]}\n")),
              HasSubstr("r.yaml:4:21: [0.6, 0.3]; allowed: fractions of the epochs that ascend"));
  EXPECT_THAT(error_of(with("train: {epochs: 3, warmup_epochs: 4}\n")), HasSubstr("at most the 3 epochs"));
  EXPECT_THAT(error_of(with("train: {momentum: 0}\n")), HasSubstr("set nesterov: false"));
  EXPECT_EQ(error_of(with("train: {epochs: 1}\n")), "good");
  EXPECT_THAT(error_of(with("prune: {budget: {params: 20%}, group_lasso: {epochs: 1, warmup_epochs: 2}}\n")),
              HasSubstr("at most the 1 epochs"));
  EXPECT_THAT(error_of(with("prune: {budget: {params: 20%}, stop_at_gate: true}\n")),
              HasSubstr("r.yaml:4:8: stop_at_gate without the section gate"));
}

TEST(Recipe, check_lists_all_complaints_in_the_order_of_the_file) {
  const auto complaints = check_recipe(
      "version: 1\n"
      "sede: 4\n"
      "model: {plugin: net}\n"
      "train: {epochs: 0, nesterov: maybe}\n"
      "verify: {clips: -1}\n"
      "verify: {}\n",
      "r.yaml");
  std::vector<std::string> places;
  for (const auto& complaint : complaints) places.push_back(complaint.where);
  EXPECT_THAT(places, ElementsAre("r.yaml:1:1", "r.yaml:2:1", "r.yaml:4:17", "r.yaml:4:30", "r.yaml:5:17",
                                  "r.yaml:6:1"));
  EXPECT_TRUE(check_recipe(full_recipe, "r.yaml").empty());
  EXPECT_EQ(check_recipe("a: [", "r.yaml").size(), 1U);
}

TEST(Recipe, checks_the_options_of_known_plugins_at_their_place) {
  const auto tables = plugins();
  const RecipeContext context{.plugins = &tables};
  const auto error = [&](const std::string& model) {
    return error_of("version: 1\nmodel: " + model + "\ndata: {plugin: sounds}\n", context);
  };
  EXPECT_EQ(error("{plugin: nett, options: {classes: 3}}"),
            "r.yaml:2:17: no model plugin 'nett'; allowed: net; did you mean 'net'?");
  EXPECT_EQ(error("{plugin: net, options: {class: 3}}"),
            "r.yaml:2:1: option 'classes' of plugin 'net' is missing; allowed: an integer of at least 2; "
            "it is: number of classes");
  EXPECT_THAT(error("{plugin: net, options: {classes: 3, dropuot: 1}}"),
              HasSubstr("r.yaml:2:44: unknown option 'dropuot' of plugin 'net'; allowed: classes, dropout; "
                        "did you mean 'dropout'?"));
  EXPECT_EQ(error("{plugin: net, options: {classes: 1}}"),
            "r.yaml:2:41: option 'classes' of plugin 'net' is 1; allowed: an integer of at least 2");
  EXPECT_THAT(error_of(smallest_recipe + "quantize: {observer: minmix}\n", context),
              HasSubstr("option 'classes'"));
  EXPECT_THAT(error_of("version: 1\nmodel: {plugin: net, options: {classes: 2}}\ndata: {plugin: "
                       "noise}\nquantize: {observer: minmix}\n",
                       context),
              HasSubstr("no observer plugin 'minmix'; allowed: minmax; did you mean 'minmax'?"));
}

TEST(Recipe, fills_in_the_options_of_known_plugins) {
  const auto tables = plugins();
  const auto recipe =
      parse_recipe("version: 1\nmodel: {plugin: net, options: {classes: 3}}\ndata: {plugin: sounds}\n",
                   "r.yaml", {.plugins = &tables});
  EXPECT_EQ(recipe.model.choice.options.at("dropout"), OptionValue(0.5));
  EXPECT_EQ(recipe.data.options.at("folder"), OptionValue("data"));
}

TEST(Recipe, paths_become_absolute_against_the_folder_of_the_file) {
  const auto tables = plugins();
  const auto recipe = parse_recipe(
      "version: 1\nmodel: {plugin: net, options: {classes: 3}, checkpoint: ../a.pt}\ndata: {plugin: "
      "sounds}\n",
      "/recipes/demo/r.yaml", {.plugins = &tables});
  EXPECT_EQ(resolved(recipe, "x"), "/recipes/demo/x");
  EXPECT_EQ(resolved(recipe, "/x"), "/x");
  const auto absolute = with_absolute_paths(recipe, tables);
  EXPECT_EQ(absolute.model.checkpoint, "/recipes/a.pt");
  EXPECT_EQ(absolute.data.options.at("folder"), OptionValue("/recipes/demo/data"));
}

TEST(Recipe, tells_its_plugin_files_before_it_is_checked) {
  const auto files = [](const std::string& text, const std::vector<std::string>& overrides = {}) {
    return plugin_files_of(text, "/recipes/r.yaml", overrides);
  };
  EXPECT_THAT(files(full_recipe), ElementsAre("/recipes/lib/mine.so", "/opt/theirs.so"));
  EXPECT_THAT(files("plugins: [a.so]\nno such key: 1\n"), ElementsAre("/recipes/a.so"));
  EXPECT_THAT(files(smallest_recipe, {"plugins=[b.so]"}), ElementsAre("/recipes/b.so"));
  EXPECT_THAT(with_absolute_paths(parse_recipe(full_recipe, "/recipes/r.yaml"), {}).plugins,
              ElementsAre("/recipes/lib/mine.so", "/opt/theirs.so"));
}

TEST(Recipe, leaves_a_wrong_list_of_plugin_files_to_the_check) {
  for (const char* text :
       {"plugins: a.so\n", "plugins: [1]\n", "plugins: {a: b}\n", "plugins: [''", "a: [", ""})
    EXPECT_TRUE(plugin_files_of(text, "r.yaml").empty()) << text;
  EXPECT_THAT(error_of(with("plugins: a.so\n")),
              HasSubstr("plugins is a string (a.so); allowed: a list of strings"));
}

TEST(Recipe, takes_a_file_in_place_of_a_model_plugin) {
  const auto tables = plugins();
  const auto recipe = parse_recipe("version: 1\nmodel: {file: net.onnx}\ndata: {plugin: sounds}\n",
                                   "/recipes/r.yaml", {.plugins = &tables});
  EXPECT_EQ(recipe.model.file, "net.onnx");
  EXPECT_EQ(recipe.model.choice.plugin, "");
  EXPECT_EQ(with_absolute_paths(recipe, tables).model.file, "/recipes/net.onnx");
  EXPECT_EQ(parse_recipe(to_yaml(recipe), "/recipes/r.yaml", {.plugins = &tables}), recipe);
}

TEST(Recipe, refuses_what_says_nothing_beside_a_file) {
  const auto error = [](const std::string& model) {
    return error_of("version: 1\nmodel: " + model + "\ndata: {plugin: x}\n");
  };
  EXPECT_EQ(error("{plugin: net, file: net.onnx}"),
            "r.yaml:2:28: model has 'file' too; allowed: one of plugin, file");
  EXPECT_THAT(error("{file: net.onnx, checkpoint: a.pt}"),
              HasSubstr("r.yaml:2:37: a checkpoint beside a file"));
  EXPECT_THAT(error("{file: net.onnx, options: {classes: 3}}"), HasSubstr("options beside a file"));
}

// --- overrides ---

std::string override_error(const std::string& assignment) {
  const std::vector<std::string> overrides{assignment};
  return error_of(smallest_recipe, {.overrides = overrides});
}

TEST(Override, sets_keys_and_makes_sections) {
  const std::vector<std::string> overrides{"prune.budget.params=20%", "seed=9",
                                           "model.options.channels=[1, 2]", "train={epochs: 4}",
                                           "train.epochs=5"};
  const auto recipe = parse_recipe(smallest_recipe, "r.yaml", {.overrides = overrides});
  EXPECT_EQ(recipe.prune->budget.params->amount, 20);
  EXPECT_EQ(recipe.seed, 9);
  EXPECT_EQ(recipe.model.choice.options.at("channels"), OptionValue(std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(recipe.train->epochs, 5);
}

TEST(Override, can_give_what_the_file_lacks) {
  const std::vector<std::string> overrides{"data.plugin=sounds"};
  EXPECT_EQ(error_of("version: 1\nmodel: {plugin: net}\n", {.overrides = overrides}), "good");
}

TEST(Override, is_checked_like_the_file) {
  EXPECT_EQ(override_error("sede=3").substr(0, 32), "--set sede=3: unknown key 'sede'");
  EXPECT_THAT(override_error("prune.budget.parms=20%"), HasSubstr("did you mean 'params'?"));
  EXPECT_THAT(override_error("seed=010"),
              HasSubstr("--set seed=010: seed is '010', a number with a leading zero"));
  EXPECT_THAT(override_error("seed="), HasSubstr("an empty value"));
  EXPECT_THAT(override_error("seed"), HasSubstr("no key and value"));
  EXPECT_THAT(override_error("=3"), HasSubstr("no key and value"));
  EXPECT_THAT(override_error("model.plugin.x=3"), HasSubstr("a key below 'model.plugin', which is 'net'"));
  EXPECT_THAT(override_error("seed=*a"), HasSubstr("--set seed=*a"));
  EXPECT_THAT(override_error("seed=[1"), HasSubstr("not YAML"));
  EXPECT_THAT(override_error("a..b=1"), HasSubstr("unknown key 'a'"));
  EXPECT_THAT(override_error("train={epochs: 1, epochs: 2}"), HasSubstr("given twice"));
}

TEST(Override, of_a_read_recipe_keeps_the_rest) {
  auto expected = parse_recipe(full_recipe, "folder/r.yaml");
  const auto changed = apply_override(expected, "prune.budget.params=30%");
  expected.prune->budget.params->amount = 30;
  EXPECT_EQ(changed, expected);
  EXPECT_THROW(apply_override(expected, "prune.budget.params=300%"), Error);
}

// --- files ---

TEST(RecipeFile, is_read_from_disk) {
  const auto path = std::filesystem::path(testing::TempDir()) / "libcompress_recipe_test.yaml";
  write_file(path, full_recipe);
  EXPECT_EQ(load_recipe(path), parse_recipe(full_recipe, path));
  std::filesystem::remove(path);
}

TEST(RecipeFile, that_is_missing_is_an_error_of_kind_io) {
  try {
    load_recipe("/nonexistent/r.yaml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
  }
}

TEST(RecipeFile, that_is_huge_is_refused_unread) {
  try {
    load_recipe("/dev/zero");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::recipe);
    EXPECT_THAT(error.what(), HasSubstr("too large"));
  }
}

}  // namespace
}  // namespace compress
