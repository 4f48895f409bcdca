#include "libcompress/surgery/surgery.h"

#include <algorithm>
#include <map>

#include "libcompress/analysis/coupling.h"
#include "libcompress/analysis/shrink.h"

namespace compress {
namespace {

KeptIndices kept_by_group(std::span<const PruningGroup> groups, const PruningPlan& plan) {
  std::map<std::string_view, const GroupPlan*> planned;
  for (const auto& each : plan.groups) planned[each.group] = &each;
  KeptIndices kept;
  for (const auto& group : groups) {
    const auto found = planned.find(group.name);
    kept.push_back(found == planned.end() ? all_indices(group.size) : found->second->kept);
  }
  return kept;
}

Removal removal_of(std::span<const PruningGroup> groups, const KeptIndices& kept) {
  Removal removed;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::vector<char> stays(static_cast<std::size_t>(groups[g].size), 0);
    for (const auto index : kept[g]) stays[static_cast<std::size_t>(index)] = 1;
    for (const auto& member : groups[g].members) {
      for (std::size_t i = 0; i < member.indices.size(); ++i) {
        if (stays[i] || member.indices[i].empty()) continue;
        auto& list = removed[member.axis];
        list.insert(list.end(), member.indices[i].begin(), member.indices[i].end());
      }
    }
  }
  for (auto& [axis, list] : removed) std::sort(list.begin(), list.end());
  return removed;
}

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
  Graph small = graph.reshaped(shapes, extents.attributes);
  verify(small);
  verify_removal(flow_ids(graph), graph, small, removed);
  return small;
}

/// Zeroes the elements of `tensor` at `indices` of `axis`.
void zero_slices(Tensor& tensor, std::size_t axis, const std::vector<std::int64_t>& indices) {
  const auto& shape = tensor.shape();
  const auto at = static_cast<std::ptrdiff_t>(axis);
  const auto outer = element_count({shape.begin(), shape.begin() + at});
  const auto inner = element_count({shape.begin() + at + 1, shape.end()});
  const auto elements = tensor.as<float>();
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const auto index : indices) {
      const auto start = static_cast<std::size_t>((o * shape[axis] + index) * inner);
      std::fill_n(elements.begin() + static_cast<std::ptrdiff_t>(start), inner, 0.0f);
    }
  }
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
  for (const auto& [name, tensor] : model.weights) small.weights[name] = tensor.clone();
  for (const auto& [axis, indices] : removed) {
    auto& tensor = small.weights.at(model.graph.value(axis.value).name);
    const auto dimension = static_cast<std::size_t>(axis.dimension);
    tensor = tensor.select(dimension, complement(tensor.shape()[dimension], indices));
  }
  verify(small);
  return small;
}

Model masked_twin(const Model& model, std::span<const PruningGroup> groups, const PruningPlan& plan) {
  verify_plan(plan, model.graph, groups);
  Model twin{model.name, model.graph, {}, model.metadata};
  for (const auto& [name, tensor] : model.weights) twin.weights[name] = tensor.clone();
  for (const auto& [axis, indices] : removal_of(groups, kept_by_group(groups, plan))) {
    // Running statistics stay: behind a zero scale and shift they have no effect, and a zero variance invites
    // trouble.
    const auto& value = model.graph.value(axis.value);
    if (value.kind == ValueKind::parameter)
      zero_slices(twin.weights.at(value.name), static_cast<std::size_t>(axis.dimension), indices);
  }
  return twin;
}

}  // namespace compress
