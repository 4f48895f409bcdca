#include <fmt/format.h>

#include "tools/command/recipe_options.h"
#include "tools/command/verb.h"

namespace compress::command {
namespace {

int check(const Session& session, const RecipeArguments& arguments) {
  const auto complaints = arguments.complaints(session.plugins);
  nlohmann::json object = {
      {"recipe", arguments.file}, {"ok", complaints.empty()}, {"complaints", nlohmann::json::array()}};
  std::string text;
  for (const auto& complaint : complaints) {
    object["complaints"].push_back({{"where", complaint.where},
                                    {"found", complaint.found},
                                    {"allowed", complaint.allowed},
                                    {"remedy", complaint.remedy}});
    text += to_string(complaint) + "\n";
  }
  if (complaints.empty()) text = fmt::format("{}: a good recipe\n", arguments.file);
  session.print(object, text);
  return complaints.empty() ? 0 : static_cast<int>(ErrorKind::recipe);
}

}  // namespace

Verb check_verb() {
  return {"check", "Validate a recipe and list every mistake in it", "libcompress check examples/demo.yaml",
          [](CLI::App& app) {
            auto arguments = std::make_shared<RecipeArguments>();
            auto keys = std::make_shared<bool>(false);
            auto schema = std::make_shared<bool>(false);
            arguments->declare(app, false);
            app.add_flag("--keys", *keys, "print every key of a recipe with its type, range and default");
            app.add_flag("--schema", *schema, "print the JSON Schema of a recipe, for editors");
            return [=](const Session& session) {
              if (*keys) return print_result(recipe_help() + "\n"), 0;
              if (*schema) return print_result(recipe_schema() + "\n"), 0;
              if (arguments->file.empty())
                throw Error(ErrorKind::usage, {"check", "no recipe", "libcompress check RECIPE", ""});
              return check(session, *arguments);
            };
          }};
}

}  // namespace compress::command
