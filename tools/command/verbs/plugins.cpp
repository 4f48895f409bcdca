#include <fmt/format.h>

#include <array>
#include <variant>

#include "libcompress/graph/op.h"
#include "tools/command/verb.h"

namespace compress::command {
namespace {

using nlohmann::json;

json option_json(const OptionSpec& option) {
  json row = {{"name", option.name},
              {"type", to_string(option.type)},
              {"help", option.help},
              {"required", option.required}};
  if (option.fallback) row["default"] = to_string(*option.fallback);
  if (!option.choices.empty()) row["choices"] = option.choices;
  return row;
}

std::string option_text(const OptionSpec& option) {
  std::string fallback = option.required ? ", required" : "";
  if (option.fallback) fallback = fmt::format(", default {}", to_string(*option.fallback));
  return fmt::format("      {} ({}{}): {}\n", option.name, allowed_by(option), fallback, option.help);
}

/// What is asked for: all plugins, or those of one name.
struct Wanted {
  std::string name;  ///< empty: all
  bool operators = false;
  bool options = false;
};

json plugin_json(const std::string& origin, const std::string& name, const std::string& summary,
                 const OptionTable& table) {
  json options = json::array();
  for (const auto& option : table) options.push_back(option_json(option));
  return {{"name", name}, {"summary", summary}, {"options", options}, {"origin", origin}};
}

/// A line a plugin under the name of its kind; a kind without one is left out.
template <typename Kind>
void list(const Plugins& plugins, const Catalog<Kind>& catalog, const Wanted& wanted, json& object,
          std::string& text) {
  std::string lines;
  for (const auto& name : catalog.names()) {
    if (!wanted.name.empty() && name != wanted.name) continue;
    const auto& entry = catalog.entry(name);
    const auto origin = plugins.origin(catalog.noun(), name);
    object[catalog.noun()].push_back(plugin_json(origin, name, entry.summary, entry.options));
    lines += fmt::format("  {:<18} {} ({})\n", name, entry.summary, origin);
    if (!wanted.options && wanted.name.empty()) continue;
    for (const auto& option : entry.options) lines += option_text(option);
  }
  if (!lines.empty()) text += fmt::format("{}\n{}", catalog.noun(), lines);
}

[[noreturn]] void refuse_name(const Plugins& plugins, const std::string& name) {
  std::vector<std::string> known;
  for_each_catalog(plugins, [&](const auto& catalog) {
    for (const auto& each : catalog.names()) known.push_back(each);
  });
  const auto near = nearest_name(name, known);
  throw Error(ErrorKind::plugin,
              {fmt::format("plugin '{}'", name), "no such plugin", fmt::format("{}", fmt::join(known, ", ")),
               near.empty() ? "" : fmt::format("did you mean '{}'?", near)});
}

int list_plugins(const Session& session, const Wanted& wanted) {
  json object = json::object();
  std::string text;
  for_each_catalog(session.plugins,
                   [&](const auto& catalog) { list(session.plugins, catalog, wanted, object, text); });
  if (text.empty()) refuse_name(session.plugins, wanted.name);
  session.print(object, text);
  return 0;
}

json fallback_json(const Attribute& fallback) {
  return std::visit([](const auto& value) { return json(value); }, fallback);
}

const char* type_of(const Attribute& attribute) {
  constexpr std::array kTypes = {"boolean", "integer", "number", "text", "integers"};
  static_assert(kTypes.size() == std::variant_size_v<Attribute>);
  return kTypes[attribute.index()];
}

json attribute_json(const AttributeSpec& attribute) {
  json row = {{"name", attribute.name},
              {"type", type_of(attribute.fallback)},
              {"required", attribute.required},
              {"help", attribute.help}};
  if (!attribute.required) row["default"] = fallback_json(attribute.fallback);
  return row;
}

/// "bias?" may be left out, "inputs..." may be several.
std::string operand_text(const OperandSpec& operand) {
  return operand.name + (operand.optional ? "?" : "") + (operand.variadic ? "..." : "");
}

json operator_json(const Op& op) {
  json operands = json::array(), attributes = json::array();
  for (const auto& operand : op.operands) operands.push_back(operand_text(operand));
  for (const auto& attribute : op.attributes) attributes.push_back(attribute_json(attribute));
  return {{"name", op.name},
          {"summary", op.summary},
          {"pruning", op.pruning},
          {"operands", operands},
          {"attributes", attributes}};
}

int list_operators(const Session& session) {
  json object = json::array();
  std::vector<std::vector<std::string>> rows = {
      {"operator", "operands", "attributes", "what it does", "pruning"}};
  for (const auto& op : all_ops()) {
    object.push_back(operator_json(op));
    std::vector<std::string> operands, attributes;
    for (const auto& operand : op.operands) operands.push_back(operand_text(operand));
    for (const auto& attribute : op.attributes) attributes.push_back(attribute.name);
    rows.push_back({op.name, fmt::format("{}", fmt::join(operands, ", ")),
                    fmt::format("{}", fmt::join(attributes, ", ")), op.summary, op.pruning});
  }
  session.print(object, table_text(rows));
  return 0;
}

}  // namespace

Verb plugins_verb() {
  return {"plugins", "List the models, data sets, criteria, strategies, observers and exporters",
          "libcompress plugins magnitude", [](CLI::App& app) {
            auto wanted = std::make_shared<Wanted>();
            app.add_option("name", wanted->name, "show only the plugins of this name, with their options");
            app.add_flag("--ops", wanted->operators, "list the operators of the graph instead");
            app.add_flag("--options", wanted->options, "show every plugin's options");
            return [=](const Session& session) {
              return wanted->operators ? list_operators(session) : list_plugins(session, *wanted);
            };
          }};
}

}  // namespace compress::command
