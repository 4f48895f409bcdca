// The resolved recipe as YAML.
#include <fmt/format.h>

#include "libcompress/recipe/document.h"
#include "libcompress/recipe/keys.h"
#include "libcompress/recipe/quantity.h"
#include "libcompress/recipe/recipe.h"

namespace compress {
namespace {

void write_options(const PluginChoice& choice, const std::string& indent, std::string& text) {
  for (const auto& [name, value] : choice.options)
    text += fmt::format("{}{}: {}\n", indent, name, yaml_value(value));
}

std::string value_text(const Key& key, const OptionValue& value) {
  if (key.form == KeyForm::percent) return percent_text(std::get<double>(value));
  // A budget is its own text, without the quotes of a string.
  if (key.form == KeyForm::count_budget || key.form == KeyForm::bytes_budget)
    return std::get<std::string>(value);
  return yaml_value(value);
}

/// `recipe` is not changed: the table gives plugins for writing and reading alike.
void write_section(const Key& section, Recipe& recipe, const std::string& indent, std::string& text) {
  for (const auto& key : section.keys) {
    const auto head = indent + key.spec.name + ":";
    if (key.form == KeyForm::section) {
      if (key.present && !key.present(recipe)) continue;
      text += head + "\n";
      write_section(key, recipe, indent + "  ", text);
    } else if (key.form == KeyForm::plugin_options) {
      const PluginChoice& choice = *section.plugin(recipe);
      if (choice.options.empty()) continue;
      text += head + "\n";
      write_options(choice, indent + "  ", text);
    } else if (const auto value = key.get(recipe)) {
      text += head + " " + value_text(key, *value) + "\n";
    }
  }
}

}  // namespace

std::string to_yaml(const Recipe& recipe) {
  std::string text;
  Recipe copy = recipe;
  write_section(recipe_keys(), copy, "", text);
  return text;
}

}  // namespace compress
