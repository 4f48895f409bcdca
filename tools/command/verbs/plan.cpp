#include <fmt/format.h>

#include "libcompress/base/files.h"
#include "libcompress/pipeline/json_figures.h"
#include "libcompress/pipeline/pipeline.h"
#include "tools/command/figures.h"
#include "tools/command/recipe_options.h"
#include "tools/command/verb.h"

namespace compress::command {
namespace {

using nlohmann::json;

struct Arguments {
  RecipeArguments recipe;
  std::string out;
};

int plan(const Session& session, const Arguments& arguments) {
  const Preview preview =
      preview_recipe(arguments.recipe.load(session.plugins), session.plugins, session.terminal);
  if (!arguments.out.empty()) write_file(arguments.out, plan_to_json(preview.plan));
  json object = {
      {"before", cost_json(preview.before)}, {"after", cost_json(preview.after)}, {"groups", json::array()}};
  std::vector<std::vector<std::string>> rows = {{"group", "width", "kept", "note"}};
  for (const auto& group : preview.groups) {
    const auto kept = kept_of(preview.plan, group);
    object["groups"].push_back({{"name", group.name},
                                {"size", group.size},
                                {"kept", kept},
                                {"prunable", group.prunable},
                                {"reason", group.reason},
                                {"spatial", group.spatial}});
    rows.push_back({group.name, grouped(group.size), grouped(kept), note_of(group)});
  }
  std::string text = table_text(rows) + "\n";
  text += table_text(
      {{"", "now", "planned", "of now"},
       cost_row("parameters", preview.before.params, preview.after.params),
       cost_row("MACs", preview.before.macs, preview.after.macs),
       cost_row("flash, bytes of 8-bit constants", preview.before.flash_bytes, preview.after.flash_bytes),
       cost_row("peak RAM, bytes of activations", preview.before.peak_ram_bytes,
                preview.after.peak_ram_bytes)});
  if (!arguments.out.empty()) {
    object["out"] = arguments.out;
    text += fmt::format("\nwrote {}; `libcompress prune FILE --apply {}` carries it out\n", arguments.out,
                        arguments.out);
  }
  session.print(object, text);
  return 0;
}

}  // namespace

Verb plan_verb() {
  return {"plan",
          "Show what a recipe would do: groups, parameters, MACs, flash, peak RAM; save the plan with --out",
          "libcompress plan examples/demo.yaml --out plan.json", [](CLI::App& app) {
            auto arguments = std::make_shared<Arguments>();
            arguments->recipe.declare(app);
            app.add_option("--out", arguments->out, "write what would be kept to this JSON file");
            return [=](const Session& session) { return plan(session, *arguments); };
          }};
}

}  // namespace compress::command
