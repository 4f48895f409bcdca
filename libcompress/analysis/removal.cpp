// Checking a removal: the rules are run over the small graph, and must find what is left of the large one.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "libcompress/analysis/coupling.h"
#include "libcompress/analysis/node_flow.h"
#include "libcompress/base/error.h"
#include "libcompress/graph/op.h"

namespace compress {
namespace {

[[noreturn]] void refuse_removal(const Node& node, const std::string& found) {
  throw Error(ErrorKind::input, {fmt::format("node '{}' after pruning", node.name), found,
                                 "what the plan leaves of the unpruned network",
                                 "the plan or the operator's coupling rule is wrong; please report it"});
}

/// Ids as roots, without those that go.
class Survivors {
 public:
  const Coupling& coupling;
  const std::vector<char> gone;  ///< by root

  Survivors(const Coupling& all, std::vector<char> going) : coupling(all), gone(std::move(going)) {}

  std::vector<CellId> roots_of(const std::vector<CellId>& cells) const {
    std::vector<CellId> roots;
    for (const auto cell : cells) {
      const auto root = coupling.root_of(cell);
      if (root == kNoCell || !gone[static_cast<std::size_t>(root)]) roots.push_back(root);
    }
    return roots;
  }

  /// The layers of a value as the smaller value must have them. Values share their ids, and so do the small
  /// ones.
  IdLayers compacted(const IdLayers& layers, const Shape& large) {
    IdLayers result;
    for (const auto& layer : layers) {
      const bool alone =
          layers_along(layers, layer.axis).size() == 1;  // else what survives depends on others
      auto& known = known_[layer.cells.get()];
      IdLayer small;
      small.axis = layer.axis;
      small.zero = layer.zero;
      small.cells = alone && known ? known : compacted_cells(layers, layer, large);
      if (alone) known = small.cells;
      result.push_back(std::move(small));
    }
    return result;
  }

 private:
  std::shared_ptr<const std::vector<CellId>> compacted_cells(const IdLayers& layers, const IdLayer& layer,
                                                             const Shape& large) const {
    std::vector<CellId> roots;
    const auto extent = large[static_cast<std::size_t>(layer.axis)];
    for (const auto i : surviving(coupling, layers, layer.axis, extent, gone))
      roots.push_back(coupling.root_of((*layer.cells)[static_cast<std::size_t>(i)]));
    return std::make_shared<const std::vector<CellId>>(std::move(roots));
  }

  std::unordered_map<const void*, std::shared_ptr<const std::vector<CellId>>> known_;  ///< by the large cells
};

class CheckingFlow final : public NodeFlow {
 public:
  CheckingFlow(const Graph& after, const Graph& before, const Node& node, const std::vector<IdLayers>& layers,
               const Survivors& survivors)
      : NodeFlow(after, before, node), layers_(layers), survivors_(survivors) {
    const auto found = survivors.coupling.fresh.find(node.id);
    if (found != survivors.coupling.fresh.end()) fresh_ = survivors.roots_of(found->second);
  }

  const IdLayers& layers(std::size_t input) const override { return layers_[index_of(node_.inputs[input])]; }
  CellId root(CellId cell) const override { return cell; }

  using IdFlow::tie;
  void tie(CellId a, CellId b) override {
    if (a == b) return;
    if (a == kNoCell || b == kNoCell) return expect_pinned(std::max(a, b));
    refuse_removal(node_, "an index that meets another one than before");
  }

  using IdFlow::pin;
  void pin(CellId cell, const std::string&) override {
    if (cell != kNoCell) expect_pinned(cell);
  }

  std::vector<CellId> fresh(std::size_t count) override {
    if (count > fresh_.size() - taken_) refuse_removal(node_, "more indices of its own than are left");
    const auto start = fresh_.begin() + static_cast<std::ptrdiff_t>(taken_);
    taken_ += count;
    return {start, start + static_cast<std::ptrdiff_t>(count)};
  }

  void keep_one_of(const std::vector<CellId>&) override {}
  void becomes_spatial(const IdLayer&, const std::string&) override {}

 private:
  void expect_pinned(CellId root) const {
    if (survivors_.coupling.pin_reason(root).empty())
      refuse_removal(node_, "an index that could shrink before and cannot now");
  }

  const std::vector<IdLayers>& layers_;
  const Survivors& survivors_;
  std::vector<CellId> fresh_;
  std::size_t taken_ = 0;
};

/// Whether one id fills the layer: it then says the same along any axis.
bool is_uniform(const IdLayer& layer) {
  return std::all_of(layer.cells->begin(), layer.cells->end(),
                     [&](CellId cell) { return cell == layer.cells->front(); });
}

bool same_layer(const IdLayer& a, const IdLayer& b) {
  if (a.axis == b.axis) return a.cells == b.cells || *a.cells == *b.cells;
  return is_uniform(a) && is_uniform(b) && a.cells->front() == b.cells->front();
}

/// Of what is coupled all goes or nothing.
void check_classes(const Coupling& coupling, const Graph& graph, const Removal& removed,
                   const std::vector<char>& gone) {
  static const std::vector<std::int64_t> kNothing;
  for (const auto id : graph.parameters()) {
    const auto rank = graph.value(id).shape.size();
    for (std::size_t dimension = 0; dimension < rank; ++dimension) {
      const Axis axis{id, static_cast<std::int32_t>(dimension)};
      const auto found = removed.find(axis);
      const auto& here = found == removed.end() ? kNothing : found->second;
      const auto& cells = coupling.cells(axis);
      auto next = here.begin();
      for (std::size_t i = 0; i < cells.size(); ++i) {
        const bool goes = next != here.end() && *next == static_cast<std::int64_t>(i);
        if (goes) ++next;
        if (goes != static_cast<bool>(gone[static_cast<std::size_t>(coupling.root_of(cells[i]))]))
          throw Error(
              ErrorKind::input,
              {fmt::format("tensor '{}'", graph.value(id).name),
               fmt::format("index {} of axis {} would stay while what it is coupled with goes", i, dimension),
               "coupled indices removed together", "the groups do not belong to this graph"});
      }
    }
  }
}

void check_extents(const Value& value, const IdLayers& layers) {
  for (const auto& layer : layers) {
    const auto extent = value.shape[static_cast<std::size_t>(layer.axis)];
    if (static_cast<std::int64_t>(layer.cells->size()) != extent)
      throw Error(ErrorKind::input, {fmt::format("tensor '{}' after pruning", value.name),
                                     fmt::format("{} indices of axis {}", extent, layer.axis),
                                     fmt::format("{}", layer.cells->size()), ""});
  }
}

}  // namespace

void verify_removal(const Coupling& coupling, const Graph& before, const Graph& after,
                    const Removal& removed) {
  Survivors survivors(coupling, gone_roots(coupling, removed));
  check_classes(coupling, before, removed, survivors.gone);
  std::vector<IdLayers> layers(after.values().size());
  for (const auto& value : after.values()) {
    const auto i = index_of(value.id);
    layers[i] = survivors.compacted(coupling.layers[i], before.value(value.id).shape);
    check_extents(value, layers[i]);
  }
  for (const auto& node : after.nodes()) {
    const auto& op = find_op(node.op, node.name);
    if (!op.couple) continue;
    CheckingFlow flow(after, before, node, layers, survivors);
    op.couple(flow);
    const auto found = flow.take_emitted();
    for (const auto& layer : layers[index_of(node.output)]) {
      if (std::none_of(found.begin(), found.end(),
                       [&](const auto& other) { return same_layer(layer, other); }))
        refuse_removal(node, "an output whose elements are not the ones that survive");
    }
  }
}

}  // namespace compress
