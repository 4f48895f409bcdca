#include "libcompress/strategy/index_flow.h"

#include <algorithm>
#include <memory>
#include <unordered_set>

namespace compress {
namespace {

using CellSet = std::unordered_set<CellId>;

std::vector<GroupIndex> indices_by_root(const Coupling& coupling, std::span<const PruningGroup> groups) {
  std::vector<GroupIndex> by_root(coupling.root.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (!groups[g].prunable) continue;
    for (const auto& member : groups[g].members) {
      const auto& cells = coupling.cells(member.axis);
      for (std::size_t i = 0; i < member.indices.size(); ++i) {
        for (const auto position : member.indices[i]) {
          const auto root = coupling.root_of(cells[static_cast<std::size_t>(position)]);
          by_root[static_cast<std::size_t>(root)] = {static_cast<std::int32_t>(g),
                                                     static_cast<std::int32_t>(i)};
        }
      }
    }
  }
  return by_root;
}

std::vector<char> constants(const Graph& graph) {
  std::vector<char> constant(graph.values().size(), 0);
  for (const auto id : graph.parameters()) constant[index_of(id)] = 1;
  for (const auto id : graph.topological_order()) {
    const auto& node = graph.node(id);
    constant[index_of(node.output)] = std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
      return constant[index_of(input)] != 0;
    });
  }
  return constant;
}

template <typename Use>
void for_each_cell(const IdLayers& layers, Use use) {
  for (const auto& layer : layers) {
    for (const auto cell : *layer.cells) {
      if (cell != kNoCell) use(cell);
    }
  }
}

}  // namespace

IndexFlow::IndexFlow(const Graph& graph, std::span<const PruningGroup> groups)
    : graph_(graph),
      coupling_(flow_ids(graph)),
      by_root_(indices_by_root(coupling_, groups)),
      constant_(constants(graph)),
      from_weight_(coupling_.root.size(), 0),
      flows_(coupling_.root.size(), 0) {
  for (const auto id : graph.parameters()) {
    if (graph.value(id).shape.size() < 2) continue;
    for_each_cell(layers(id), [this](CellId cell) { from_weight_[static_cast<std::size_t>(cell)] = 1; });
  }
  for (const auto& node : graph.nodes()) {
    if (constant_[index_of(node.output)]) continue;
    for_each_cell(layers(node.output), [this](CellId cell) { flows_[static_cast<std::size_t>(cell)] = 1; });
  }
}

GroupIndex IndexFlow::index_of_cell(CellId cell) const {
  return by_root_[static_cast<std::size_t>(coupling_.root_of(cell))];
}

/// Says of a cell on the node's output whether its own weights put it there.
IndexFlow::Counts IndexFlow::own_cells(const Node& node) const {
  const auto arrived = std::make_shared<CellSet>();
  for (const auto input : node.inputs) {
    if (constant_[index_of(input)]) continue;
    for_each_cell(layers(input), [&](CellId cell) { arrived->insert(cell); });
  }
  return [this, arrived](CellId cell) {
    return from_weight_[static_cast<std::size_t>(cell)] && !arrived->contains(cell);
  };
}

void IndexFlow::add_tap(std::vector<GroupTap>& taps, const Tap& tap, const IdLayer& layer,
                        const Counts& counts) const {
  GroupTap found{tap, {}, 1};
  bool any = false;
  for (const auto cell : *layer.cells) {
    auto& index = found.indices.emplace_back();
    if (cell != kNoCell && counts(cell)) index = index_of_cell(cell);
    any = any || index.group >= 0;
  }
  if (!any) return;
  const auto& node = graph_.node(tap.node);
  const auto& shape =
      graph_.value(tap.is_output() ? node.output : node.inputs[static_cast<std::size_t>(tap.operand)]).shape;
  const auto batch = graph_.value(graph_.inputs().front()).shape.front();
  found.elements = element_count(shape) / shape[static_cast<std::size_t>(tap.axis)] / batch;
  taps.push_back(std::move(found));
}

std::vector<GroupTap> IndexFlow::made() const {
  std::vector<GroupTap> taps;
  for (const auto& node : graph_.nodes()) {
    if (constant_[index_of(node.output)]) continue;
    const auto own = own_cells(node);
    for (const auto& layer : layers(node.output))
      add_tap(taps, {node.id, Tap::kOutput, layer.axis}, layer, own);
  }
  return taps;
}

std::vector<GroupTap> IndexFlow::read() const {
  std::vector<GroupTap> taps;
  for (const auto& node : graph_.nodes()) {
    if (constant_[index_of(node.output)]) continue;
    const auto own = own_cells(node);
    CellSet handed_on;
    for_each_cell(layers(node.output), [&](CellId cell) {
      if (!own(cell)) handed_on.insert(coupling_.root_of(cell));
    });
    const auto ends = [&](CellId cell) { return !handed_on.contains(coupling_.root_of(cell)); };
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (constant_[index_of(node.inputs[i])]) continue;
      for (const auto& layer : layers(node.inputs[i]))
        add_tap(taps, {node.id, static_cast<std::int32_t>(i), layer.axis}, layer, ends);
    }
  }
  return taps;
}

bool IndexFlow::is_filter_axis(const Axis& axis) const {
  if (graph_.value(axis.value).shape.size() < 2) return false;
  const auto& cells = coupling_.cells(axis);
  return std::any_of(cells.begin(), cells.end(),
                     [this](CellId cell) { return flows_[static_cast<std::size_t>(cell)] != 0; });
}

}  // namespace compress
