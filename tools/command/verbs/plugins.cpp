#include <fmt/format.h>

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

int list_operators(const Session& session) {
  json object = json::array();
  std::vector<std::vector<std::string>> rows = {{"operator", "attributes", "what it does"}};
  for (const auto& op : all_ops()) {
    std::string attributes;
    for (const auto& attribute : op.attributes)
      attributes += (attributes.empty() ? "" : ", ") + attribute.name;
    object.push_back({{"name", op.name}, {"summary", op.summary}, {"attributes", attributes}});
    rows.push_back({op.name, attributes, op.summary});
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
