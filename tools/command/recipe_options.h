// The arguments that every verb which takes a recipe shares.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "libcompress/pipeline/plugins.h"
#include "libcompress/recipe/recipe.h"

namespace compress::command {

struct RecipeArguments {
  std::string file;
  std::vector<std::string> overrides;  ///< --set key=value

  void declare(CLI::App& app, bool required = true);
  Recipe load(const Plugins& plugins) const;
};

/// The text of a recipe file, of at most 1 MiB.
std::string read_recipe_text(const std::string& file);

}  // namespace compress::command
