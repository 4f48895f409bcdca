#include "libcompress/surgery/surgery.h"

#include <algorithm>
#include <map>
#include <memory>

#include "libcompress/analysis/coupling.h"
#include "libcompress/analysis/shrink.h"
#include "libcompress/base/error.h"
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
  const auto coupling = std::make_shared<const Coupling>(flow_ids(graph));
  const auto extents = Shrinker(graph, groups, coupling).shrink(kept);
  std::map<ValueId, Shape> shapes;
  for (const auto& [axis, indices] : removed) shapes[axis.value] = extents.shapes[index_of(axis.value)];
  Graph small = graph.reshaped(shapes, extents.rewrites);
  verify(small);
  verify_removal(*coupling, graph, small, removed);
  return small;
}

/// That every parameter has a weight of its shape, before anything is cut. Whether the numbers are finite is
/// looked at in what is left of them: reading all of them would take as long as the cutting.
void check_extents(const Model& model) {
  for (const auto id : model.graph.parameters()) {
    const auto& value = model.graph.value(id);
    const auto weight = model.weights.find(value.name);
    if (weight == model.weights.end() || weight->second.shape() != value.shape ||
        weight->second.dtype() != DType::float32)
      throw Error(ErrorKind::input, {"tensor '" + value.name + "'",
                                     weight == model.weights.end() ? "no weight" : "another shape or type",
                                     "float32 " + to_string(value.shape), ""});
  }
}

std::size_t bytes_of_weights(const Graph& graph) {
  std::size_t bytes = 0;
  for (const auto id : graph.parameters())
    bytes +=
        TensorBlock::share(static_cast<std::size_t>(element_count(graph.value(id).shape)) * sizeof(float));
  return bytes;
}

}  // namespace

Graph pruned_graph(const Graph& graph, std::span<const PruningGroup> groups, const PruningPlan& plan) {
  verify_plan(plan, graph, groups);
  const auto kept = kept_by_group(groups, plan);
  return shrunk(graph, groups, kept, removal_of(groups, kept));
}

Model prune(const Model& model, std::span<const PruningGroup> groups, const PruningPlan& plan) {
  verify(model.graph);
  check_extents(model);
  verify_plan(plan, model.graph, groups);
  const auto kept = kept_by_group(groups, plan);
  const auto removed = removal_of(groups, kept);
  Model small{model.name, shrunk(model.graph, groups, kept, removed), {}, model.metadata};
  TensorBlock block(bytes_of_weights(small.graph));
  for (const auto id : model.graph.parameters()) {
    const auto& value = model.graph.value(id);
    std::vector<std::vector<std::int64_t>> left(value.shape.size());  // by axis, empty where nothing goes
    for (std::size_t axis = 0; axis < left.size(); ++axis) {
      const auto found = removed.find({id, static_cast<std::int32_t>(axis)});
      if (found != removed.end()) left[axis] = complement(value.shape[axis], found->second);
    }
    small.weights[value.name] = model.weights.at(value.name).select(left, &block);
    verify_weight(small.graph.value(id), small.weights);  // now, while they are in the cache
  }
  return small;
}

}  // namespace compress
