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

/// Two networks of one graph and one set of weights need not be run to be told equal.
bool is_the_same(const Model& a, const Model& b) {
  const auto same_bytes = [](const auto& one, const auto& other) {
    return one.first == other.first && one.second.shape() == other.second.shape() &&
           one.second.dtype() == other.second.dtype() &&
           std::ranges::equal(one.second.bytes(), other.second.bytes());
  };
  return fingerprint(a.graph) == fingerprint(b.graph) &&
         std::equal(a.weights.begin(), a.weights.end(), b.weights.begin(), b.weights.end(), same_bytes);
}

Check rebuilt_check(const std::string& step, const Model& pruned, const ModelSource* family,
                    std::span<const Inputs> draws) {
  const std::string name = step + ": equals the network rebuilt from its channel counts";
  if (family == nullptr) return {name, Verdict::skipped, "no model plugin to build it anew"};
  Checkpoint checkpoint;
  checkpoint.tensors = pruned.weights;
  try {
    const Model rebuilt = family->from_checkpoint(checkpoint);
    if (is_the_same(pruned, rebuilt))
      return {name, Verdict::passed,
              "a fresh build of the same widths has the same graph, node by node, and the same weights"};
    return twin_check(name, difference_of(pruned, rebuilt, draws), "a fresh build of the same widths");
  } catch (const Error& error) {
    return {name, Verdict::failed, fmt::format("the model plugin cannot build it: {}", error.what())};
  }
}

/// The model with what a softmax at its end reads as output in its place.
Model before_softmax(const Model& model) {
  Model scores = model;
  std::vector<ValueId> outputs;
  for (const auto output : model.graph.outputs()) {
    const Node* last = model.graph.producer(output);
    outputs.push_back(last != nullptr && last->op == "softmax" ? last->inputs.front() : output);
  }
  scores.graph.set_outputs(outputs);
  return scores;
}

/// Infinite where shapes differ or an element is not finite.
double relative_difference(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return INFINITY;
  const auto first = a.as<float>(), second = b.as<float>();
  double largest = 0, scale = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (!std::isfinite(first[i]) || !std::isfinite(second[i])) return INFINITY;
    largest = std::max(largest, std::abs(static_cast<double>(first[i]) - second[i]));
    scale = std::max(scale, std::abs(static_cast<double>(first[i])));
  }
  return scale > 0 ? largest / scale : largest;
}

}  // namespace

Inputs random_inputs(const Graph& graph, Random& random) {
  Inputs inputs;
  for (const auto id : graph.inputs()) {
    Tensor tensor(DType::float32, graph.value(id).shape);
    for (auto& element : tensor.as<float>()) element = static_cast<float>(random.normal());
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

Inputs as_inputs(const Graph& graph, std::span<const float> examples) {
  Shape shape = graph.value(graph.inputs().front()).shape;
  shape[0] = static_cast<std::int64_t>(examples.size()) / (element_count(shape) / shape[0]);
  return {Tensor::of(shape, examples)};
}

Difference difference_of(const Model& a, const Model& b, std::span<const Inputs> draws) {
  const Model first = before_softmax(a), second = before_softmax(b);
  Difference difference;
  for (const auto& inputs : draws) {
    difference.inputs += inputs.front().shape().front();
    const auto ours = run_all(first, inputs), theirs = run_all(second, inputs);
    for (std::size_t i = 0; i < ours.size(); ++i)
      difference.relative = std::max(difference.relative, relative_difference(ours[i], theirs.at(i)));
  }
  return difference;
}

std::vector<Check> prove_surgery(const std::string& step, const Model& model,
                                 std::span<const PruningGroup> groups, const PruningPlan& plan,
                                 const Model& pruned, const ModelSource* family,
                                 std::span<const Inputs> draws) {
  const bool spatial = prunes_spatial(plan, groups);
  const PruningPlan exact = spatial ? without_spatial(plan, groups) : plan;
  const Model twin = masked_twin(model, groups, exact);
  const Model small = spatial ? prune(model, groups, exact) : pruned;
  std::vector<Check> checks;
  checks.push_back(
      twin_check(step + ": equals the unpruned network with the removed channels zeroed",
                 difference_of(twin, small, draws),
                 spatial ? "its masked twin (rows that left the image put back)" : "its masked twin"));
  if (spatial) checks.push_back(rebuilt_check(step, pruned, family, draws));
  return checks;
}

void refuse_unproved(const std::string& where, std::span<const Check> checks) {
  for (const auto& check : checks) {
    if (check.verdict == Verdict::failed)
      throw Error(ErrorKind::accuracy, {where, check.name, "", check.detail});
  }
}

}  // namespace compress
