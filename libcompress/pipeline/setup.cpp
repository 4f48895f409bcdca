#include "libcompress/pipeline/setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "libcompress/base/error.h"
#include "libcompress/pipeline/model_file.h"
#include "libcompress/recipe/quantity.h"
#include "libcompress/train/gradients.h"

namespace compress {
namespace {

void check_pattern(const std::string& pattern, const std::string& key, const Graph& graph) {
  const auto& nodes = graph.nodes();
  if (std::any_of(nodes.begin(), nodes.end(), [&](const Node& node) { return matches(pattern, node.name); }))
    return;
  std::vector<std::string> names;
  for (const auto& node : nodes) names.push_back(node.name);
  const auto near = nearest_name(pattern, names);
  throw Error(ErrorKind::recipe,
              {key, fmt::format("pattern '{}' matches no node", pattern), "names as `inspect` lists them",
               near.empty() ? "" : fmt::format("did you mean '{}'?", near)});
}

Shape input_shape_of(const Model& model) { return model.graph.value(model.graph.inputs().front()).shape; }

/// A file that carries its graph loads whatever the options say; proofs that build the network anew would
/// not.
void check_options(const Model& model, const Recipe& recipe, const ModelSource& family) {
  Checkpoint weights;
  weights.tensors = model.weights;
  const Shape built = input_shape_of(family.from_checkpoint(weights));
  if (built == input_shape_of(model)) return;
  throw Error(ErrorKind::recipe,
              {"model.options", fmt::format("a network with the input {}", to_string(built)),
               fmt::format("{}, as checkpoint '{}' has it", to_string(input_shape_of(model)),
                           *recipe.model.checkpoint),
               "give the options that the checkpoint was made with"});
}

}  // namespace

PluginTables tables_of(const Plugins& plugins) {
  PluginTables tables;
  add_tables(tables, plugins.models);
  add_tables(tables, plugins.datasets);
  add_tables(tables, plugins.criteria);
  add_tables(tables, plugins.strategies);
  add_tables(tables, plugins.observers);
  add_tables(tables, plugins.exporters);
  return tables;
}

std::unique_ptr<ModelSource> make_family(const Recipe& recipe, const Plugins& plugins) {
  if (recipe.model.file) return nullptr;
  return plugins.models.make(recipe.model.choice.plugin, recipe.model.choice.options);
}

std::unique_ptr<DataSet> make_data(const Recipe& recipe, const Plugins& plugins) {
  return plugins.datasets.make(recipe.data.plugin, recipe.data.options);
}

Model original_model(const Recipe& recipe, const ModelSource* family) {
  if (recipe.model.file) return load_model(resolved(recipe, *recipe.model.file), nullptr);
  if (recipe.model.checkpoint) {
    Model model = load_model(resolved(recipe, *recipe.model.checkpoint), family);
    check_options(model, recipe, *family);
    return model;
  }
  Random random = Random::stream(static_cast<std::uint64_t>(recipe.seed), 0);
  Model model = family->fresh(random);
  verify(model);
  return model;
}

Budget budget_of(const PruneOptions& prune, const NetworkCost& unpruned) {
  Budget budget;
  budget.tolerance = prune.tolerance_percent / 100.0;
  const auto add = [&](const std::optional<BudgetLimit>& limit, Resource resource) {
    if (limit) budget.bounds.push_back({resource, limit->resolved(amount_of(resource, unpruned))});
  };
  add(prune.budget.params, Resource::params);
  add(prune.budget.flash, Resource::flash_bytes);
  add(prune.budget.macs, Resource::macs);
  add(prune.budget.peak_ram, Resource::peak_ram_bytes);
  return budget;
}

WidthLimits limits_of(const PruneOptions& prune) {
  WidthLimits limits{prune.round_to, prune.min_channels};
  for (const auto& text : prune.ratios) {
    const auto ratio = parse_ratio(text);
    assert(ratio);  // the recipe's checker and the command line let no other through
    limits.ratios.push_back({ratio->pattern, ratio->percent / 100.0});
  }
  return limits;
}

PruningPlan plan_step(const PlanStep& step) {
  const auto criterion =
      step.plugins.criteria.make(step.prune.criterion.plugin, step.prune.criterion.options);
  const auto strategy = step.plugins.strategies.make(step.prune.strategy.plugin, step.prune.strategy.options);
  std::unique_ptr<GradientSource> gradients;
  if (criterion->needs_gradients()) {
    GradientOptions options{.seed = step.seed, .reporter = &step.reporter};
    const DataSet& data = step.data();
    const auto one_epoch = (data.size(Part::train) + options.batch_size - 1) / options.batch_size;
    options.batches = std::clamp<std::int64_t>(one_epoch, 1, options.batches);
    gradients = make_gradient_source(step.model, data, options);
  }
  const auto scores = criterion->score_all(step.groups, {step.model, step.seed, gradients.get()});
  return strategy->plan({step.model, step.groups, scores, step.budget, limits_of(step.prune), step.unpruned});
}

GroupOptions group_options(const PruneOptions& prune, const ModelSource* family, const Graph& graph) {
  for (const auto& pattern : prune.ignore) check_pattern(pattern, "prune.ignore", graph);
  for (const auto& pattern : prune.spatial) check_pattern(pattern, "prune.spatial", graph);
  GroupOptions options{prune.ignore, prune.spatial};
  if (family == nullptr) return options;
  const auto own = family->spatial_nodes();
  options.spatial.insert(options.spatial.end(), own.begin(), own.end());
  return options;
}

}  // namespace compress
