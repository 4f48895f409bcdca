// The whole flow: recipe, model, train, prune, fine-tune, quantize, export, verify, report.
#pragma once

#include <filesystem>
#include <vector>

#include "libcompress/analysis/cost.h"
#include "libcompress/analysis/groups.h"
#include "libcompress/base/progress.h"
#include "libcompress/pipeline/plugins.h"
#include "libcompress/recipe/recipe.h"
#include "libcompress/report/report.h"
#include "libcompress/strategy/plan.h"

namespace compress {

struct RunRequest {
  const Recipe& recipe;  ///< with every default filled in and its paths absolute
  std::filesystem::path folder;
  const Plugins& plugins;
  Reporter& reporter;
};

/// Does what the recipe says and leaves a run folder (pipeline/run_folder.h). Steps that are done there
/// already are not done again, so that a run which was stopped or killed goes on. Error of kind interrupted
/// at a stop, of kind accuracy after the report is written if the gate failed or a proof did, of kind budget
/// if the budget cannot be reached.
RunReport run_recipe(const RunRequest& request);

/// What a run would do to the network, found without writing anything.
struct Preview {
  Model model;
  std::vector<PruningGroup> groups;
  PruningPlan plan;
  Graph pruned;
  NetworkCost before;
  NetworkCost after;
};

/// One-shot: scores the network as it is and selects to the full budget. A schedule that trains between steps
/// ends at the same budget with other channels. Reads the data set only if the criterion needs gradients.
/// Error of kind budget if what is left does not fit the recipe's target (pipeline/target_fit.h).
Preview preview_recipe(const Recipe& recipe, const Plugins& plugins, Reporter& reporter);

/// Rewrites report.json and report.html of a run from what its finished steps recorded.
RunReport rebuild_report(const std::filesystem::path& folder);

}  // namespace compress
