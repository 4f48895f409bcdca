#include <fmt/format.h>

#include "libcompress/pipeline/pipeline.h"
#include "libcompress/pipeline/run_folder.h"
#include "tools/command/recipe_options.h"
#include "tools/command/summary.h"
#include "tools/command/verb.h"

namespace compress::command {
namespace {

struct RunArguments {
  RecipeArguments recipe;
  std::string folder;
};

int carry_out(const Session& session, const Recipe& recipe, const std::filesystem::path& folder) {
  try {
    const RunReport report = run_recipe({recipe, folder, session.plugins, session.terminal});
    session.print(to_json(report), summary_text(report, folder));
    return 0;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::interrupted) throw;
    throw Error(ErrorKind::interrupted,
                fmt::format("stopped; go on with: libcompress resume {}", folder.string()));
  }
}

int start(const Session& session, const RunArguments& arguments) {
  const Recipe recipe = arguments.recipe.load(session.plugins);
  const std::string folder = arguments.folder.empty() ? "runs/" + recipe.name : arguments.folder;
  return carry_out(session, recipe, folder);
}

int resume(const Session& session, const std::string& folder) {
  const Recipe recipe = load_kept_recipe(RunFolder::recipe_of(folder),
                                         std::filesystem::path(folder) / "recipe.yaml", session.plugins);
  return carry_out(session, recipe, folder);
}

}  // namespace

Verb run_verb() {
  return {"run", "Do what a recipe says and leave a run folder with models, code, proofs and a report",
          "libcompress run examples/demo.yaml --out runs/demo", [](CLI::App& app) {
            auto arguments = std::make_shared<RunArguments>();
            arguments->recipe.declare(app);
            app.add_option("--out", arguments->folder, "run folder (default: runs/NAME)");
            return [=](const Session& session) { return start(session, *arguments); };
          }};
}

Verb resume_verb() {
  return {"resume", "Go on with a run that was stopped or killed, from its last finished step",
          "libcompress resume runs/demo", [](CLI::App& app) {
            auto folder = std::make_shared<std::string>();
            app.add_option("folder", *folder, "run folder")->required();
            return [=](const Session& session) { return resume(session, *folder); };
          }};
}

}  // namespace compress::command
