// From the tree of the file to checked values, guided by the table of keys.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "libcompress/base/files.h"
#include "libcompress/recipe/document.h"
#include "libcompress/recipe/keys.h"
#include "libcompress/recipe/quantity.h"
#include "libcompress/recipe/recipe.h"

namespace compress {
namespace {

constexpr std::size_t longest_name = 64;

std::string did_you_mean(const std::string& near) {
  return near.empty() ? "" : "did you mean '" + near + "'?";
}

std::string shortened(const std::string& text) {
  return described(YamlNode{YamlNode::Kind::scalar, "", text});  // in quotes, cut when long
}

template <typename Items, typename Name>
std::vector<std::string> names_of(const Items& items, const Name& name) {
  std::vector<std::string> names;
  for (const auto& item : items) names.push_back(name(item));
  return names;
}

std::vector<std::string> names_of(const std::vector<Key>& keys) {
  return names_of(keys, [](const Key& key) { return key.spec.name; });
}

std::string joined(const std::vector<std::string>& names) {
  return names.empty() ? "no keys" : fmt::format("{}", fmt::join(names, ", "));
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_word_char(char c, std::string_view extra) {
  return is_letter(c) || (c >= '0' && c <= '9') || extra.find(c) != std::string_view::npos;
}

/// First a letter or '_', then also digits and `extra`.
bool is_word(std::string_view text, std::string_view extra) {
  return !text.empty() && text.size() <= longest_name && is_letter(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return is_word_char(c, extra); });
}

bool is_c_keyword(std::string_view text) {
  static const std::set<std::string_view> keywords{
      "auto",   "break",  "case",     "char",     "const",    "continue", "default",  "do",     "double",
      "else",   "enum",   "extern",   "float",    "for",      "goto",     "if",       "inline", "int",
      "long",   "main",   "register", "restrict", "return",   "short",    "signed",   "sizeof", "static",
      "struct", "switch", "typedef",  "union",    "unsigned", "void",     "volatile", "while",  "bool"};
  return keywords.contains(text);
}

/// Any text as a name: what a name may not hold becomes '_'.
std::string as_name(std::string text) {
  for (auto& c : text)
    if (!is_word_char(c, "-")) c = '_';
  if (text.empty() || !is_letter(text[0])) text.insert(0, 1, '_');
  return text.substr(0, longest_name);
}

std::string as_identifier(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return is_c_keyword(name) ? name.substr(0, longest_name - 1) + "_" : name;
}

/// Reads one recipe; goes on after a complaint, so that one look shows them all.
class Reader {
 public:
  Reader(const PluginTables* plugins, std::vector<Complaint>& complaints)
      : plugins_(plugins), complaints_(complaints) {}

  Recipe read(const YamlNode& root, const std::string& file) {
    section(recipe_keys(), root, file + ":1:1", "");
    return std::move(recipe_);
  }

 private:
  const PluginTables* plugins_;
  std::vector<Complaint>& complaints_;
  Recipe recipe_;

  void complain(const std::string& where, std::string found, std::string allowed, std::string remedy = "") {
    complaints_.push_back({where, std::move(found), std::move(allowed), std::move(remedy)});
  }

  /// `where` is the place of the section's own key: a missing key has no better one.
  void section(const Key& key, const YamlNode& node, const std::string& where, const std::string& path) {
    const auto names = names_of(key.keys);
    if (node.kind != YamlNode::Kind::map) {
      const bool empty = node.kind == YamlNode::Kind::null;
      return complain(node.where, path + " is " + described(node), "a map of " + joined(names),
                      empty ? "write {} for the defaults, or remove the key" : "");
    }
    const auto complaints_before = complaints_.size();
    if (key.create) key.create(recipe_);
    for (const auto& [name, value] : node.entries) entry(key, name, value, path, names);
    for (const auto& child : key.keys)
      if (child.spec.required && !node.find(child.spec.name))
        complain(where, "key '" + joined_path(path, child.spec.name) + "' is missing", allowed_by(child),
                 "it is: " + child.spec.help);
    if (!key.exactly_one_of.empty()) alternatives(key, node, where, path);
    if (key.needs_a_key && node.entries.empty())
      complain(where, path + " is empty", "at least one of " + joined(names));
    if (key.plugin) plugin(key, node, where);
    if (key.rule && complaints_.size() == complaints_before) rule(key, node, where);
  }

  void alternatives(const Key& key, const YamlNode& node, const std::string& where, const std::string& path) {
    const auto names = fmt::format("{}", fmt::join(key.exactly_one_of, ", "));
    const auto allowed = "one of " + names;
    const YamlNode* first = nullptr;
    for (const auto& name : key.exactly_one_of) {
      const auto* value = node.find(name);
      if (value && first) complain(value->where, fmt::format("{} has '{}' too", path, name), allowed);
      if (!first) first = value;
    }
    if (!first) complain(where, path + " has none of " + names, allowed);
  }

  static std::string joined_path(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + "." + name;
  }

  void entry(const Key& parent, const YamlNode& name, const YamlNode& value, const std::string& path,
             const std::vector<std::string>& names) {
    const auto found = std::find_if(parent.keys.begin(), parent.keys.end(),
                                    [&](const Key& key) { return key.spec.name == name.text; });
    if (found == parent.keys.end()) return unknown_key(name, path, names);
    const auto full = joined_path(path, name.text);
    if (found->form == KeyForm::section) return section(*found, value, name.where, full);
    if (found->form == KeyForm::plugin_options) return plugin_options(*parent.plugin(recipe_), value, full);
    if (auto read = key_value(*found, value, full)) found->set(recipe_, *read);
  }

  void unknown_key(const YamlNode& name, const std::string& path, const std::vector<std::string>& names) {
    auto remedy = did_you_mean(nearest_name(name.text, names));
    if (remedy.empty()) {
      // A key that is right, but in another section.
      for_each_key([&](const Key& key, const std::string& full) {
        if (remedy.empty() && key.spec.name == name.text) remedy = "there is a '" + full + "'";
      });
    }
    const auto in = path.empty() ? "" : " in '" + path + "'";
    complain(name.where, "unknown key " + shortened(name.text) + in, joined(names), remedy);
  }

  KeyValue key_value(const Key& key, const YamlNode& node, const std::string& path) {
    switch (key.form) {
      case KeyForm::percent:
        return percent(key, node, path);
      case KeyForm::count_budget:
      case KeyForm::bytes_budget:
        return budget(key, node, path);
      default:
        break;
    }
    const auto complaints_before = complaints_.size();
    auto value = option_value(node, complaints_);
    for (auto i = complaints_before; i < complaints_.size(); ++i)
      complaints_[i].found = path + " is " + complaints_[i].found;
    if (!value) return std::nullopt;
    if (auto complaint = fit_option(key.spec, *value, node.where)) {
      complaint->found = path + " is " + complaint->found;
      complaints_.push_back(*std::move(complaint));
      return std::nullopt;
    }
    if (!well_formed(key, node, *value, path)) return std::nullopt;
    if (key.form == KeyForm::plugin_name) are_known_plugins(key.plugin_kind, *value, node.where);
    return value;
  }

  bool well_formed(const Key& key, const YamlNode& node, const OptionValue& value, const std::string& path) {
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    if (list && std::find(list->begin(), list->end(), "") != list->end())
      return complain(node.where, path + " holds empty text", allowed_by(key)), false;
    const auto* text = std::get_if<std::string>(&value);
    if (!text) return true;
    const bool good = key.form == KeyForm::name         ? is_word(*text, "-")
                      : key.form == KeyForm::identifier ? is_word(*text, "") && !is_c_keyword(*text)
                                                        : !text->empty();
    if (!good) complain(node.where, path + " is " + shortened(*text), allowed_by(key));
    return good;
  }

  KeyValue percent(const Key& key, const YamlNode& node, const std::string& path) {
    const auto value = node.kind == YamlNode::Kind::scalar ? parse_percent(node.text) : std::nullopt;
    if (value) return *value;
    complain(node.where, path + " is " + described(node), allowed_by(key), percent_hint(node));
    return std::nullopt;
  }

  static std::string percent_hint(const YamlNode& node) {
    return parse_percent(node.text + "%") ? "did you mean " + node.text + "%?" : "";
  }

  KeyValue budget(const Key& key, const YamlNode& node, const std::string& path) {
    const bool bytes = key.form == KeyForm::bytes_budget;
    std::optional<BudgetLimit> limit;
    if (node.kind == YamlNode::Kind::scalar)
      limit = bytes ? parse_bytes_budget(node.text) : parse_count_budget(node.text);
    if (limit) return to_string(*limit);
    complain(node.where, path + " is " + described(node), allowed_by(key));
    return std::nullopt;
  }

  void plugin_options(PluginChoice& choice, const YamlNode& node, const std::string& path) {
    if (node.kind != YamlNode::Kind::map) {
      const bool empty = node.kind == YamlNode::Kind::null;
      return complain(node.where, path + " is " + described(node), "a map of the plugin's options",
                      empty ? "write {} for none, or remove the key" : "");
    }
    for (const auto& [name, value] : node.entries) {
      if (!is_word(name.text, "")) {
        complain(name.where, "the option name " + shortened(name.text),
                 "letters, digits and '_', at most 64");
        continue;
      }
      if (auto read = option_value(value, complaints_)) choice.options[name.text] = *std::move(read);
    }
  }

  /// Checks the chosen plugin of a section against its own table, where that is known.
  void plugin(const Key& key, const YamlNode& node, const std::string& where) {
    PluginChoice& choice = *key.plugin(recipe_);
    const auto row = std::find_if(key.keys.begin(), key.keys.end(),
                                  [](const Key& each) { return each.form == KeyForm::plugin_name; });
    const auto* tables = known_plugins(row->plugin_kind);
    if (!tables || choice.plugin.empty()) return;
    if (tables->contains(choice.plugin))
      options(tables->at(choice.plugin), choice, node.find("options"), where);
    else if (!node.find(row->spec.name))  // the default; a name in the file has had its complaint
      known_plugin(*tables, row->plugin_kind, choice.plugin, where);
  }

  const std::map<std::string, OptionTable>* known_plugins(const std::string& kind) const {
    if (!plugins_) return nullptr;
    const auto found = plugins_->find(kind);
    return found == plugins_->end() ? nullptr : &found->second;
  }

  void known_plugin(const std::map<std::string, OptionTable>& tables, const std::string& kind,
                    const std::string& name, const std::string& where) {
    if (tables.contains(name)) return;
    const auto names = names_of(tables, [](const auto& item) { return item.first; });
    complain(where, fmt::format("no {} plugin {}", kind, shortened(name)), joined(names),
             did_you_mean(nearest_name(name, names)));
  }

  void are_known_plugins(const std::string& kind, const OptionValue& names, const std::string& where) {
    const auto* tables = known_plugins(kind);
    if (!tables) return;
    const auto* list = std::get_if<std::vector<std::string>>(&names);
    for (const auto& name : list ? *list : std::vector{std::get<std::string>(names)})
      known_plugin(*tables, kind, name, where);
  }

  void options(const OptionTable& table, PluginChoice& choice, const YamlNode* node,
               const std::string& where) {
    const auto names = names_of(table, [](const OptionSpec& spec) { return spec.name; });
    const auto of_plugin = " of plugin '" + choice.plugin + "'";
    if (node)
      for (const auto& [name, value] : node->entries)
        if (std::find(names.begin(), names.end(), name.text) == names.end() && is_word(name.text, ""))
          complain(name.where, "unknown option " + shortened(name.text) + of_plugin, joined(names),
                   did_you_mean(nearest_name(name.text, names)));
    for (const auto& spec : table) {
      const auto* value_node = node ? node->find(spec.name) : nullptr;
      const auto given = choice.options.find(spec.name);
      if (given != choice.options.end()) {
        if (auto complaint = fit_option(spec, given->second, value_node->where)) {
          complaint->found = "option '" + spec.name + "'" + of_plugin + " is " + complaint->found;
          complaints_.push_back(*std::move(complaint));
        }
      } else if (!value_node && spec.fallback) {
        auto fallback = *spec.fallback;
        if (!fit_option(spec, fallback, "")) choice.options[spec.name] = std::move(fallback);
      } else if (!value_node && spec.required) {
        complain(where, "option '" + spec.name + "'" + of_plugin + " is missing", allowed_by(spec),
                 spec.help.empty() ? "" : "it is: " + spec.help);
      }
    }
  }

  void rule(const Key& key, const YamlNode& node, const std::string& where) {
    auto broken = key.rule(recipe_);
    if (!broken) return;
    const auto* blamed = node.find(broken->key);
    broken->complaint.where = blamed ? blamed->where : where;
    complaints_.push_back(std::move(broken->complaint));
  }
};

// --- overrides ---

std::string override_place(const std::string& assignment) {
  constexpr std::size_t longest = 80;
  return "--set " + (assignment.size() <= longest ? assignment : assignment.substr(0, longest) + "...");
}

/// Puts the value of "a.b.c=value" into the tree; maps that are missing on the way are made.
void put_override(YamlNode& root, const std::string& assignment) {
  const auto where = override_place(assignment);
  const auto equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw Error(ErrorKind::recipe,
                {where, "no key and value", "key=value, as in prune.budget.params=20%", ""});
  YamlNode* node = &root;
  const auto path = std::string_view(assignment).substr(0, equals);
  for (std::size_t from = 0; from <= path.size();) {
    const auto dot = std::min(path.find('.', from), path.size());
    const std::string name(path.substr(from, dot - from));
    if (node->kind == YamlNode::Kind::null) node->kind = YamlNode::Kind::map;
    if (node->kind != YamlNode::Kind::map)
      throw Error(
          ErrorKind::recipe,
          {where, fmt::format("a key below '{}', which is {}", path.substr(0, from - 1), described(*node)),
           "a key that the recipe has", ""});
    YamlNode* child = node->find(name);
    if (!child) {
      node->entries.push_back(
          {YamlNode{YamlNode::Kind::scalar, where, name}, YamlNode{YamlNode::Kind::null, where, ""}});
      child = &node->entries.back().second;
    }
    node = child;
    from = dot + 1;
  }
  *node = read_yaml_value(std::string_view(assignment).substr(equals + 1), where);
}

// --- the order of complaints ---

/// Line and column at the end of "file:line:column"; what is from the command line comes last.
std::tuple<bool, long, long> position(const Complaint& complaint) {
  const auto number_after_last_colon = [](std::string_view& text) {
    const auto colon = text.rfind(':');
    long value = -1;
    if (colon == std::string_view::npos) return value;
    const auto digits = text.substr(colon + 1);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failed != std::errc{} || end != digits.data() + digits.size()) return -1L;
    text = text.substr(0, colon);
    return value;
  };
  std::string_view text = complaint.where;
  if (text.starts_with("--set ")) return {true, 0, 0};
  const long column = number_after_last_colon(text);
  const long line = number_after_last_colon(text);
  return {false, line, column};
}

struct Reading {
  Recipe recipe;
  std::vector<Complaint> complaints;
};

/// What the file leaves to its own name.
void fill_names(Recipe& recipe, const std::filesystem::path& file) {
  if (recipe.name.empty()) recipe.name = as_name(file.stem().string());
  if (recipe.exporting && recipe.exporting->name.empty()) recipe.exporting->name = as_identifier(recipe.name);
}

Reading read_all(std::string_view text, const std::filesystem::path& file, const RecipeContext& context) {
  auto document = read_yaml(text, file.string());
  for (const auto& assignment : context.overrides) put_override(document.root, assignment);
  Reading reading;
  reading.complaints = std::move(document.complaints);
  reading.recipe = Reader(context.plugins, reading.complaints).read(document.root, file.string());
  std::stable_sort(reading.complaints.begin(), reading.complaints.end(),
                   [](const auto& a, const auto& b) { return position(a) < position(b); });
  fill_names(reading.recipe, file);
  reading.recipe.folder = file.parent_path();
  return reading;
}

}  // namespace

std::vector<std::filesystem::path> plugin_files_of(std::string_view text, const std::filesystem::path& file,
                                                   std::span<const std::string> overrides) try {
  auto document = read_yaml(text, file.string());
  for (const auto& assignment : overrides) put_override(document.root, assignment);
  const auto* node = document.root.find("plugins");
  if (!node) return {};
  std::vector<Complaint> told_later;
  const auto value = option_value(*node, told_later);
  const auto* names = value ? std::get_if<std::vector<std::string>>(&*value) : nullptr;
  std::vector<std::filesystem::path> files;
  if (names)
    for (const auto& name : *names)
      if (!name.empty()) files.push_back(file.parent_path() / name);
  return files;
} catch (const Error&) {
  return {};
}

std::string read_recipe_text(const std::filesystem::path& path) try {
  return read_text(path, largest_recipe_bytes);
} catch (const Error& error) {
  if (error.kind() != ErrorKind::input) throw;
  throw Error(ErrorKind::recipe, error.what());  // too large to be a recipe
}

Recipe load_recipe(const std::filesystem::path& path, const RecipeContext& context) {
  return parse_recipe(read_recipe_text(path), path, context);
}

Recipe parse_recipe(std::string_view text, const std::filesystem::path& file, const RecipeContext& context) {
  auto reading = read_all(text, file, context);
  if (!reading.complaints.empty()) throw Error(ErrorKind::recipe, reading.complaints.front());
  return std::move(reading.recipe);
}

std::vector<Complaint> check_recipe(std::string_view text, const std::filesystem::path& file,
                                    const RecipeContext& context) {
  try {
    return read_all(text, file, context).complaints;
  } catch (const Error& error) {
    return {Complaint{"", error.what(), "", ""}};
  }
}

QuantizeOptions quantize_with_fine_tune(const std::string& fine_tune) {
  const std::vector<std::string> overrides{"quantize.fine_tune=" + fine_tune};
  const auto recipe = parse_recipe("version: 1\nmodel: {file: none}\ndata: {plugin: none}\n", "recipe.yaml",
                                   {nullptr, overrides});
  return *recipe.quantize;
}

Recipe apply_override(const Recipe& recipe, const std::string& assignment, const PluginTables* plugins) {
  const std::vector<std::string> overrides{assignment};
  auto changed = parse_recipe(to_yaml(recipe), recipe.folder / "recipe.yaml", {plugins, overrides});
  changed.folder = recipe.folder;
  return changed;
}

bool is_target_file(std::string_view target) { return target.ends_with(".yaml") || target.ends_with(".yml"); }

std::filesystem::path resolved(const Recipe& recipe, const std::string& path) {
  return recipe.folder / path;  // an absolute path replaces the folder
}

Recipe with_absolute_paths(Recipe recipe, const PluginTables& plugins) {
  const auto absolute = [&](std::string& path) {
    path = std::filesystem::absolute(resolved(recipe, path)).lexically_normal().string();
  };
  for (auto& file : recipe.plugins) absolute(file);
  if (recipe.model.file) absolute(*recipe.model.file);
  if (recipe.model.checkpoint) absolute(*recipe.model.checkpoint);
  if (recipe.quantize && recipe.quantize->inputs) absolute(*recipe.quantize->inputs);
  if (recipe.exporting && recipe.exporting->target && is_target_file(*recipe.exporting->target))
    absolute(*recipe.exporting->target);
  for_each_key([&](const Key& key, const std::string& path) {
    if (!key.plugin || (path.starts_with("prune.") && !recipe.prune) || (key.present && !key.present(recipe)))
      return;
    PluginChoice& choice = *key.plugin(recipe);
    for (const auto& row : key.keys) {
      if (row.form != KeyForm::plugin_name) continue;
      const auto kind = plugins.find(row.plugin_kind);
      if (kind == plugins.end() || !kind->second.contains(choice.plugin)) continue;
      for (const auto& spec : kind->second.at(choice.plugin)) {
        const auto given = choice.options.find(spec.name);
        if (spec.type != OptionType::path || given == choice.options.end()) continue;
        if (auto* value = std::get_if<std::string>(&given->second); value && !value->empty())
          absolute(*value);
      }
    }
  });
  return recipe;
}

}  // namespace compress
