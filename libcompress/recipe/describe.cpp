// What the table of keys says to people (help) and to editors (JSON Schema).
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "libcompress/recipe/document.h"
#include "libcompress/recipe/keys.h"
#include "libcompress/recipe/quantity.h"
#include "libcompress/recipe/recipe.h"

namespace compress {
namespace {

// Keys stay in the order of the table.
using Json = nlohmann::ordered_json;

std::string default_text(const Key& key, const OptionValue& value) {
  return key.form == KeyForm::percent ? percent_text(std::get<double>(value)) : to_string(value);
}

/// "integer from 1 to 100, default 8".
std::string facts(const Key& key, const Recipe& fresh) {
  if (key.form == KeyForm::section) return key.spec.required ? "required section" : "section";
  std::string text = allowed_by(key);
  if (key.spec.required) return text + "; required";
  if (const auto value = default_of(key, fresh)) text += "; default " + default_text(key, *value);
  return text;
}

// --- JSON Schema ---

constexpr const char* percent_pattern = "^(100(\\.0+)?|[0-9]{1,2}(\\.[0-9]+)?)%$";
constexpr const char* bytes_pattern = "^[0-9]+(\\.[0-9]+)?(B|KB|MB|KiB|MiB)$";

Json as_json(const OptionValue& value) {
  return std::visit([](const auto& each) { return Json(each); }, value);
}

Json bounded(Json schema, const OptionSpec& spec) {
  const auto bound = [&](double value) {
    return schema["type"] == "integer" ? Json(static_cast<std::int64_t>(value)) : Json(value);
  };
  if (spec.minimum) schema["minimum"] = bound(*spec.minimum);
  if (spec.maximum) schema["maximum"] = bound(*spec.maximum);
  return schema;
}

Json text_schema(const OptionSpec& spec) {
  Json schema{{"type", "string"}, {"minLength", 1}};
  if (!spec.choices.empty()) schema = Json{{"enum", spec.choices}};
  return schema;
}

Json list_schema(Json items) { return Json{{"type", "array"}, {"items", std::move(items)}}; }

Json plain_schema(const OptionSpec& spec) {
  switch (spec.type) {
    case OptionType::boolean:
      return Json{{"type", "boolean"}};
    case OptionType::integer:
      return bounded(Json{{"type", "integer"}}, spec);
    case OptionType::number:
      return bounded(Json{{"type", "number"}}, spec);
    case OptionType::string:
    case OptionType::path:
      return text_schema(spec);
    case OptionType::integers:
      return list_schema(bounded(Json{{"type", "integer"}}, spec));
    case OptionType::numbers:
      return list_schema(bounded(Json{{"type", "number"}}, spec));
    case OptionType::strings:
      return list_schema(text_schema(spec));
  }
  return Json::object();
}

Json text_of(const char* pattern) { return Json{{"type", "string"}, {"pattern", pattern}}; }

/// Any scalar or list of scalars: the plugin's own table says more.
Json plugin_options_schema() {
  const Json scalar{{"type", Json{"boolean", "number", "string"}}};
  const Json element{{"type", Json{"number", "string"}}};
  return Json{{"type", "object"},
              {"additionalProperties", {{"anyOf", Json::array({scalar, list_schema(element)})}}}};
}

Json schema_of(const Key& key, const Recipe& fresh);

Json section_schema(const Key& section, const Recipe& fresh) {
  Json schema{{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
  Json required = Json::array();
  for (const auto& key : section.keys) {
    schema["properties"][key.spec.name] = schema_of(key, fresh);
    if (key.spec.required) required.push_back(key.spec.name);
  }
  if (!required.empty()) schema["required"] = std::move(required);
  if (section.needs_a_key) schema["minProperties"] = 1;
  for (const auto& name : section.exactly_one_of) schema["oneOf"].push_back({{"required", {name}}});
  return schema;
}

Json form_schema(const Key& key, const Recipe& fresh) {
  const Json count{{"type", "integer"}, {"minimum", 1}};
  switch (key.form) {
    case KeyForm::section:
      return section_schema(key, fresh);
    case KeyForm::plugin_options:
      return plugin_options_schema();
    case KeyForm::name:
      return text_of("^[A-Za-z_][A-Za-z0-9_-]{0,63}$");
    case KeyForm::identifier:
      return text_of("^[A-Za-z_][A-Za-z0-9_]{0,63}$");
    case KeyForm::percent:
      return text_of(percent_pattern);
    case KeyForm::count_budget:
      return Json{{"anyOf", Json::array({count, text_of(percent_pattern)})}};
    case KeyForm::bytes_budget:
      return Json{{"anyOf", Json::array({count, text_of(percent_pattern), text_of(bytes_pattern)})}};
    case KeyForm::plain:
    case KeyForm::plugin_name:
      break;
  }
  return plain_schema(key.spec);
}

Json schema_of(const Key& key, const Recipe& fresh) {
  auto schema = form_schema(key, fresh);
  schema["description"] = key.spec.help;
  if (const auto value = default_of(key, fresh))
    schema["default"] = key.form == KeyForm::percent ? Json(default_text(key, *value)) : as_json(*value);
  return schema;
}

}  // namespace

std::string recipe_help() {
  const auto fresh = complete_recipe();
  std::string text = "Keys of a recipe (YAML; strict: no tabs, aliases, unknown or doubled keys):\n\n";
  for_each_key([&](const Key& key, const std::string& path) {
    const auto depth = static_cast<std::size_t>(std::count(path.begin(), path.end(), '.'));
    const std::string indent(2 + 2 * depth, ' ');
    text += fmt::format("{}{:<{}}{}\n", indent, key.spec.name + ":", 26 - indent.size(), key.spec.help);
    text += fmt::format("{:26}{}\n", "", facts(key, fresh));
  });
  return text;
}

std::string recipe_schema() {
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "libcompress recipe"}};
  schema.update(section_schema(recipe_keys(), complete_recipe()));
  return schema.dump(2) + "\n";
}

}  // namespace compress
