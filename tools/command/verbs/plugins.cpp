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
  return fmt::format("      {} ({}{}): {}\n", option.name, to_string(option.type), fallback, option.help);
}

template <typename Kind>
void list(const Catalog<Kind>& catalog, bool with_options, json& object, std::string& text) {
  text += fmt::format("{}\n", catalog.noun());
  for (const auto& name : catalog.names()) {
    const auto& entry = catalog.entry(name);
    json options = json::array();
    for (const auto& option : entry.options) options.push_back(option_json(option));
    object[catalog.noun()].push_back(
        {{"name", name}, {"summary", entry.summary}, {"options", options}, {"origin", "built in"}});
    text += fmt::format("  {:<14} {}\n", name, entry.summary);
    if (!with_options) continue;
    for (const auto& option : entry.options) text += option_text(option);
  }
}

int list_plugins(const Session& session, bool with_options) {
  json object;
  std::string text;
  list(session.plugins.models, with_options, object, text);
  list(session.plugins.datasets, with_options, object, text);
  list(session.plugins.criteria, with_options, object, text);
  list(session.plugins.strategies, with_options, object, text);
  list(session.plugins.observers, with_options, object, text);
  list(session.plugins.exporters, with_options, object, text);
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
          "libcompress plugins --options", [](CLI::App& app) {
            auto ops = std::make_shared<bool>(false);
            auto options = std::make_shared<bool>(false);
            app.add_flag("--ops", *ops, "list the operators of the graph instead");
            app.add_flag("--options", *options, "show every plugin's options");
            return [=](const Session& session) {
              return *ops ? list_operators(session) : list_plugins(session, *options);
            };
          }};
}

}  // namespace compress::command
