#include "libcompress/analysis/shrink.h"

#include <cassert>
#include <numeric>

namespace compress {

std::vector<std::int64_t> all_indices(std::int64_t size) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(size));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

Extents extents_of(const Graph& graph) {
  Extents extents;
  for (const auto& value : graph.values()) extents.shapes.push_back(value.shape);
  return extents;
}

Shrinker::Shrinker(const Graph& graph, std::span<const PruningGroup> groups)
    : graph_(graph), full_(extents_of(graph)), losses_(groups.size()) {
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const auto& member : groups[g].members) {
      Loss loss{member.axis, {}};
      for (const auto& indices : member.indices)
        loss.counts.push_back(static_cast<std::int64_t>(indices.size()));
      losses_[g].push_back(std::move(loss));
    }
  }
  for (const auto id : graph.topological_order()) {
    const auto& node = graph.node(id);
    steps_.push_back({&node, &find_op(node.op, node.name)});
  }
}

Extents Shrinker::shrink(const KeptIndices& kept) const {
  assert(kept.size() == losses_.size());
  Extents extents = full_;
  for (std::size_t g = 0; g < losses_.size(); ++g) {
    for (const auto& loss : losses_[g]) {
      if (kept[g].size() == loss.counts.size()) continue;
      auto gone = std::accumulate(loss.counts.begin(), loss.counts.end(), std::int64_t{0});
      for (const auto index : kept[g]) gone -= loss.counts[static_cast<std::size_t>(index)];
      extents.shapes[index_of(loss.axis.value)][static_cast<std::size_t>(loss.axis.dimension)] -= gone;
    }
  }
  std::vector<Shape> before, after;
  for (const auto& [node, op] : steps_) {
    before.clear();
    after.clear();
    for (const auto input : node->inputs) {
      before.push_back(full_.shapes[index_of(input)]);
      after.push_back(extents.shapes[index_of(input)]);
    }
    if (before == after) continue;
    const Attributes* attributes = &node->attributes;
    if (op->resize) {
      auto resized = op->resize({node->name, node->attributes, before}, after);
      if (!(resized == node->attributes)) attributes = &(extents.attributes[node->id] = std::move(resized));
    }
    extents.shapes[index_of(node->output)] = op->shape({node->name, *attributes, after});
  }
  return extents;
}

}  // namespace compress
