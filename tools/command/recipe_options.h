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

  /// Read, checked, with every default and every path made absolute. `plugins` grows by the files that the
  /// recipe names; the recipe then names all that were loaded, so that its run folder needs no --plugin.
  Recipe load(Plugins& plugins) const;

  /// Every complaint about it. `plugins` grows as in load().
  std::vector<Complaint> complaints(Plugins& plugins) const;
};

/// A recipe that a run folder keeps. `plugins` grows as in RecipeArguments::load().
Recipe load_kept_recipe(const std::string& text, const std::filesystem::path& file, Plugins& plugins);

}  // namespace compress::command
