#include "libcompress/surgery/surgery.h"

#include <algorithm>
#include <map>

#include "libcompress/analysis/coupling.h"
#include "libcompress/analysis/shrink.h"
#include "libcompress/surgery/removal.h"

namespace compress {
namespace {

/// What is left of `extent` indices without `removed` (ascending).
std::vector<std::int64_t> complement(std::int64_t extent, const std::vector<std::int64_t>& removed) {
  std::vector<std::int64_t> kept;
  auto next = removed.begin();
  for (std::int64_t i = 0; i < extent; ++i) {
    if (next != removed.end() && *next == i) {
      ++next;
    } else {
      kept.push_back(i);
    }
  }
  return kept;
}

Graph shrunk(const Graph& graph, std::span<const PruningGroup> groups, const KeptIndices& kept,
             const Removal& removed) {
  const auto extents = Shrinker(graph, groups).shrink(kept);
  std::map<ValueId, Shape> shapes;
  for (const auto& [axis, indices] : removed) shapes[axis.value] = extents.shapes[index_of(axis.value)];
  Graph small = graph.reshaped(shapes, extents.rewrites);
  verify(small);
  verify_removal(flow_ids(graph), graph, small, removed);
  return small;
}

}  // namespace

Graph pruned_graph(const Graph& graph, std::span<const PruningGroup> groups, const PruningPlan& plan) {
  verify_plan(plan, graph, groups);
  const auto kept = kept_by_group(groups, plan);
  return shrunk(graph, groups, kept, removal_of(groups, kept));
}

Model prune(const Model& model, std::span<const PruningGroup> groups, const PruningPlan& plan) {
  verify(model);
  verify_plan(plan, model.graph, groups);
  const auto kept = kept_by_group(groups, plan);
  const auto removed = removal_of(groups, kept);
  Model small{model.name, shrunk(model.graph, groups, kept, removed), {}, model.metadata};
  for (const auto& [axis, indices] : removed) {
    const auto& name = model.graph.value(axis.value).name;
    const auto cut_before = small.weights.find(name);
    const auto& tensor = cut_before == small.weights.end() ? model.weights.at(name) : cut_before->second;
    const auto dimension = static_cast<std::size_t>(axis.dimension);
    auto cut = tensor.select(dimension, complement(tensor.shape()[dimension], indices));
    small.weights[name] = std::move(cut);
  }
  for (const auto& [name, tensor] : model.weights) {
    if (!small.weights.contains(name)) small.weights[name] = tensor.clone();
  }
  verify(small);
  return small;
}

}  // namespace compress
