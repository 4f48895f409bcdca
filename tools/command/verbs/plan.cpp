#include <fmt/format.h>

#include <algorithm>

#include "libcompress/pipeline/json_figures.h"
#include "libcompress/pipeline/pipeline.h"
#include "tools/command/recipe_options.h"
#include "tools/command/verb.h"

namespace compress::command {
namespace {

using nlohmann::json;

std::int64_t kept_of(const PruningPlan& plan, const PruningGroup& group) {
  for (const auto& each : plan.groups) {
    if (each.group == group.name) return static_cast<std::int64_t>(each.kept.size());
  }
  return group.size;
}

std::vector<std::string> cost_row(const std::string& label, std::int64_t before, std::int64_t after) {
  const double percent =
      before > 0 ? 100.0 * static_cast<double>(after) / static_cast<double>(before) : 100.0;
  return {label, grouped(before), grouped(after), fmt::format("{:.2f}%", percent)};
}

int plan(const Session& session, const RecipeArguments& arguments) {
  const Preview preview = preview_recipe(arguments.load(session.plugins), session.plugins, session.terminal);
  json object = {
      {"before", cost_json(preview.before)}, {"after", cost_json(preview.after)}, {"groups", json::array()}};
  std::vector<std::vector<std::string>> rows = {{"group", "width", "kept", "note"}};
  for (const auto& group : preview.groups) {
    const auto kept = kept_of(preview.plan, group);
    const std::string note =
        group.prunable ? (group.spatial ? "its channels are rows further on" : "") : group.reason;
    object["groups"].push_back({{"name", group.name},
                                {"size", group.size},
                                {"kept", kept},
                                {"prunable", group.prunable},
                                {"reason", group.reason},
                                {"spatial", group.spatial}});
    rows.push_back({group.name, grouped(group.size), grouped(kept), note});
  }
  std::string text = table_text(rows) + "\n";
  text += table_text(
      {{"", "now", "planned", "of now"},
       cost_row("parameters", preview.before.params, preview.after.params),
       cost_row("MACs", preview.before.macs, preview.after.macs),
       cost_row("flash, bytes of 8-bit constants", preview.before.flash_bytes, preview.after.flash_bytes),
       cost_row("peak RAM, bytes of activations", preview.before.peak_ram_bytes,
                preview.after.peak_ram_bytes)});
  session.print(object, text);
  return 0;
}

}  // namespace

Verb plan_verb() {
  return {"plan", "Show what a recipe would do: groups, parameters, MACs, flash, peak RAM. Writes nothing",
          "libcompress plan examples/demo.yaml", [](CLI::App& app) {
            auto arguments = std::make_shared<RecipeArguments>();
            arguments->declare(app);
            return [=](const Session& session) { return plan(session, *arguments); };
          }};
}

}  // namespace compress::command
