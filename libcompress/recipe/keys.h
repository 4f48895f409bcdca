// The one table of the recipe's keys. Whoever reads, checks, explains or writes a recipe walks it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libcompress/base/options.h"
#include "libcompress/recipe/recipe.h"

namespace compress {

/// How the text of a key becomes its value.
enum class KeyForm {
  section,         ///< a map of further keys
  plugin_options,  ///< a map of whatever the plugin beside it knows
  plain,           ///< as OptionSpec says
  plugin_name,     ///< a string or a list of them: plugins of `plugin_kind` where they are known
  name,            ///< letters, digits, '_' and '-', first a letter or '_', at most 64
  identifier,      ///< a C identifier that is no keyword, at most 64
  percent,         ///< "1%"; as an option value the number before the sign
  count_budget,    ///< "20%" or 131000
  bytes_budget,    ///< "20%", 96000, "96KB" or "94KiB"
};

/// A value in the recipe, or nothing if the key is absent. Budgets travel as their text.
using KeyValue = std::optional<OptionValue>;

struct Key {
  OptionSpec spec;  ///< name, type, help, range, choices, required; the default is what a fresh Recipe holds
  KeyForm form = KeyForm::plain;
  std::string plugin_kind{};  ///< noun of the catalog, for plugin names

  std::function<KeyValue(const Recipe&)> get{};  ///< only called where the section is present
  std::function<void(Recipe&, const OptionValue&)> set{};

  std::vector<Key> keys{};                         ///< of a section
  std::function<bool(const Recipe&)> present{};    ///< empty: the section is always there
  std::function<void(Recipe&)> create{};           ///< makes an optional section with its defaults
  std::function<PluginChoice*(Recipe&)> plugin{};  ///< of a section that chooses a plugin
  bool needs_a_key = false;                        ///< an empty section says nothing
  std::vector<std::string> exactly_one_of{};       ///< keys of a section of which one is given, no more

  /// A rule about several keys of a section: the name of the key to blame and the complaint without its
  /// place.
  struct Broken {
    std::string key;
    Complaint complaint;
  };
  std::function<std::optional<Broken>(const Recipe&)> rule{};
};

/// The recipe itself: a section without a name.
const Key& recipe_keys();

/// The default of `key` in `fresh`, whose sections are all there; nothing if it has none.
KeyValue default_of(const Key& key, const Recipe& fresh);

/// A recipe in which every optional section is made, with its defaults.
Recipe complete_recipe();

/// What the key allows, in words: "an integer from 1 to 100", "a percentage such as 1%".
std::string allowed_by(const Key& key);

/// The key as its user would write it: "prune.budget.params".
using VisitKey = std::function<void(const Key& key, const std::string& path)>;

/// Every key and section, parents first, in the order of the table.
void for_each_key(const VisitKey& visit);

}  // namespace compress
