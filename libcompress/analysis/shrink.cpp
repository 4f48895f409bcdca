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

namespace {

class NodeRemains final : public Remains {
 public:
  NodeRemains(const Node& node, const OpCall& before, const Shape& output_before,
              std::span<const Shape> inputs, const Coupling& coupling, const std::vector<char>& gone)
      : node_(node),
        before_(before),
        output_before_(output_before),
        inputs_(inputs),
        coupling_(coupling),
        gone_(gone) {}

  const OpCall& before() const override { return before_; }
  const Shape& input(std::size_t i) const override { return inputs_[i]; }
  const Shape& output_before() const override { return output_before_; }
  std::vector<std::int64_t> kept(std::size_t input, int axis) const override {
    return kept_of(node_.inputs[input], axis, before_.input(input));
  }
  std::vector<std::int64_t> kept_of_output(int axis) const override {
    return kept_of(node_.output, axis, output_before_);
  }

 private:
  std::vector<std::int64_t> kept_of(ValueId value, int axis, const Shape& shape) const {
    return surviving(coupling_, coupling_.layers[index_of(value)], axis,
                     shape[static_cast<std::size_t>(axis)], gone_);
  }

  const Node& node_;
  const OpCall& before_;
  const Shape& output_before_;
  std::span<const Shape> inputs_;
  const Coupling& coupling_;
  const std::vector<char>& gone_;
};

}  // namespace

Shrinker::Shrinker(const Graph& graph, std::span<const PruningGroup> groups)
    : Shrinker(graph, groups, std::make_shared<const Coupling>(flow_ids(graph))) {}

Shrinker::Shrinker(const Graph& graph, std::span<const PruningGroup> groups,
                   std::shared_ptr<const Coupling> coupling)
    : graph_(graph),
      coupling_(std::move(coupling)),
      full_(extents_of(graph)),
      losses_(groups.size()),
      roots_(groups.size()) {
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const auto& member : groups[g].members) {
      Loss loss{member.axis, {}};
      for (std::size_t i = 0; i < member.indices.size(); ++i)
        loss.counts.push_back(static_cast<std::int64_t>(member.indices[i].size()));
      losses_[g].push_back(std::move(loss));
    }
    const auto& first = groups[g].members.front();
    const auto& cells = coupling_->cells(first.axis);
    for (std::size_t i = 0; i < first.indices.size(); ++i)
      roots_[g].push_back(coupling_->root_of(cells[static_cast<std::size_t>(first.indices[i].front())]));
  }
  for (const auto id : graph.topological_order()) {
    const auto& node = graph.node(id);
    steps_.push_back({&node, &find_op(node.op, node.name), coupling_->fresh.contains(id)});
  }
}

std::vector<char> Shrinker::gone_roots(const KeptIndices& kept) const {
  std::vector<char> gone(coupling_->root.size(), 0);
  for (std::size_t g = 0; g < roots_.size(); ++g) {
    if (kept[g].size() == roots_[g].size()) continue;
    for (const auto root : roots_[g]) gone[static_cast<std::size_t>(root)] = 1;
    for (const auto index : kept[g])
      gone[static_cast<std::size_t>(roots_[g][static_cast<std::size_t>(index)])] = 0;
  }
  return gone;
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
  const auto gone = gone_roots(kept);
  std::vector<Shape> before, after;
  for (const auto& [node, op, makes_indices] : steps_) {
    before.clear();
    after.clear();
    for (const auto input : node->inputs) {
      before.push_back(full_.shapes[index_of(input)]);
      after.push_back(extents.shapes[index_of(input)]);
    }
    if (before == after && !makes_indices) continue;
    const Op* new_op = op;
    const Attributes* attributes = &node->attributes;
    if (op->resize) {
      const OpCall call{node->name, node->attributes, before};
      auto rewrite =
          op->resize(NodeRemains(*node, call, full_.shapes[index_of(node->output)], after, *coupling_, gone));
      if (!(rewrite == Rewrite{node->op, node->attributes})) {
        const auto& kept_rewrite = extents.rewrites[node->id] = std::move(rewrite);
        new_op = &find_op(kept_rewrite.op, node->name);
        attributes = &kept_rewrite.attributes;
      }
    }
    extents.shapes[index_of(node->output)] = new_op->shape({node->name, *attributes, after});
  }
  return extents;
}

}  // namespace compress
