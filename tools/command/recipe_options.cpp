#include "tools/command/recipe_options.h"

#include "libcompress/pipeline/plugin_file.h"
#include "libcompress/pipeline/setup.h"

namespace compress::command {
namespace {

void load_plugins_of(const std::string& text, const std::filesystem::path& file,
                     std::span<const std::string> overrides, Plugins& plugins) {
  for (const auto& path : plugin_files_of(text, file, overrides)) load_plugin_file(path, plugins);
}

}  // namespace

void RecipeArguments::declare(CLI::App& app, bool required) {
  auto* option = app.add_option("recipe", file, "recipe file (YAML)");
  if (required) option->required();
  app.add_option("--set", overrides, "set a key of the recipe, as in --set prune.budget.params=20%")
      ->allow_extra_args(false);
}

Recipe RecipeArguments::load(Plugins& plugins) const {
  const auto text = read_recipe_text(file);
  load_plugins_of(text, file, overrides, plugins);
  const auto tables = tables_of(plugins);
  Recipe recipe = with_absolute_paths(parse_recipe(text, file, {&tables, overrides}), tables);
  recipe.plugins = plugins.files;
  return recipe;
}

std::vector<Complaint> RecipeArguments::complaints(Plugins& plugins) const {
  const auto text = read_recipe_text(file);
  load_plugins_of(text, file, overrides, plugins);
  const auto tables = tables_of(plugins);
  return check_recipe(text, file, {&tables, overrides});
}

Recipe load_kept_recipe(const std::string& text, const std::filesystem::path& file, Plugins& plugins) {
  load_plugins_of(text, file, {}, plugins);
  const auto tables = tables_of(plugins);
  return parse_recipe(text, file, {&tables, {}});
}

}  // namespace compress::command
