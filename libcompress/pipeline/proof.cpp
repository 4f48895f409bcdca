#include "libcompress/pipeline/proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "libcompress/base/error.h"
#include "libcompress/runtime/executor.h"
#include "libcompress/surgery/surgery.h"

namespace compress {
namespace {

Check twin_check(std::string name, const Difference& difference, std::string_view against) {
  const bool equal = difference.relative <= kTwinTolerance;
  return {std::move(name), equal ? Verdict::passed : Verdict::failed,
          fmt::format("largest difference {:.2g} of the output's scale over {} inputs, against {}; at most "
                      "{:g} is rounding",
                      difference.relative, difference.inputs, against, kTwinTolerance)};
}

/// The plan with every spatial group left whole.
PruningPlan without_spatial(const PruningPlan& plan, std::span<const PruningGroup> groups) {
  PruningPlan rest = plan;
  for (auto& group : rest.groups) {
    const auto found =
        std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.name == group.group; });
    if (found == groups.end() || !found->spatial) continue;
    group.kept.resize(static_cast<std::size_t>(group.size));
    std::iota(group.kept.begin(), group.kept.end(), 0);
  }
  return rest;
}

bool prunes_spatial(const PruningPlan& plan, std::span<const PruningGroup> groups) {
  return std::any_of(plan.groups.begin(), plan.groups.end(), [&](const GroupPlan& group) {
    return static_cast<std::int64_t>(group.kept.size()) < group.size &&
           std::any_of(
               groups.begin(), groups.end(),
               [&](const auto& g) { return g.name == group.group && g.spatial; });
  });
}

Check rebuilt_check(const std::string& step, const Model& pruned, const ModelSource& family,
                    std::span<const float> examples) {
  const std::string name = step + ": equals the network rebuilt from its channel counts";
  Checkpoint checkpoint;
  checkpoint.tensors = pruned.weights;
  try {
    const Model rebuilt = family.from_checkpoint(checkpoint);
    return twin_check(name, difference_of(pruned, rebuilt, examples), "a fresh build of the same widths");
  } catch (const Error& error) {
    return {name, Verdict::failed, fmt::format("the model plugin cannot build it: {}", error.what())};
  }
}

/// The first output, or what the softmax that makes it reads.
ValueId scores_of(const Graph& graph) {
  const ValueId output = graph.outputs().front();
  const Node* last = graph.producer(output);
  return last != nullptr && last->op == "softmax" ? last->inputs.front() : output;
}

std::vector<float> scores(const Model& model, std::span<const float> batch, std::int64_t inputs) {
  const ValueId wanted = scores_of(model.graph);
  std::vector<float> found;
  run_observed(model, batch, inputs, [&](ValueId id, std::span<const float> values, const Shape&) {
    if (id == wanted) found.assign(values.begin(), values.end());
  });
  return found;
}

}  // namespace

Difference difference_of(const Model& a, const Model& b, std::span<const float> examples) {
  const auto size = element_count(a.graph.value(a.graph.inputs().front()).shape);
  const auto inputs = static_cast<std::int64_t>(examples.size()) / size;
  const auto first = scores(a, examples, inputs);
  const auto second = scores(b, examples, inputs);
  if (first.empty() || first.size() != second.size()) return {INFINITY, inputs};
  double largest = 0, scale = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (!std::isfinite(first[i]) || !std::isfinite(second[i])) return {INFINITY, inputs};
    largest = std::max(largest, std::abs(static_cast<double>(first[i]) - second[i]));
    scale = std::max(scale, std::abs(static_cast<double>(first[i])));
  }
  return {scale > 0 ? largest / scale : largest, inputs};
}

std::vector<Check> prove_surgery(const std::string& step, const Model& model,
                                 std::span<const PruningGroup> groups, const PruningPlan& plan,
                                 const Model& pruned, const ModelSource& family,
                                 std::span<const float> examples) {
  const bool spatial = prunes_spatial(plan, groups);
  const PruningPlan exact = spatial ? without_spatial(plan, groups) : plan;
  const Model twin = masked_twin(model, groups, exact);
  const Model small = spatial ? prune(model, groups, exact) : pruned;
  std::vector<Check> checks;
  checks.push_back(
      twin_check(step + ": equals the unpruned network with the removed channels zeroed",
                 difference_of(twin, small, examples),
                 spatial ? "its masked twin (rows that left the image put back)" : "its masked twin"));
  if (spatial) checks.push_back(rebuilt_check(step, pruned, family, examples));
  return checks;
}

}  // namespace compress
