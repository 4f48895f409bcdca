#include "tools/command/recipe_options.h"

#include "libcompress/base/files.h"
#include "libcompress/pipeline/setup.h"

namespace compress::command {

void RecipeArguments::declare(CLI::App& app, bool required) {
  auto* option = app.add_option("recipe", file, "recipe file (YAML)");
  if (required) option->required();
  app.add_option("--set", overrides, "set a key of the recipe, as in --set prune.budget.params=20%")
      ->allow_extra_args(false);
}

Recipe RecipeArguments::load(const Plugins& plugins) const {
  const auto tables = tables_of(plugins);
  return load_recipe(file, {&tables, overrides});
}

std::string read_recipe_text(const std::string& file) { return read_text(file, std::uint64_t{1} << 20); }

}  // namespace compress::command
