#include "libcompress/analysis/coupling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <numeric>

#include "libcompress/base/error.h"
#include "libcompress/base/options.h"
#include "libcompress/graph/op.h"

namespace compress {
namespace {

/// Sets of cells that live or die together, with what is known of each set at its root.
class CellSets {
 public:
  CellId add() {
    parent_.push_back(static_cast<CellId>(parent_.size()));
    pinned_.emplace_back();
    return parent_.back();
  }

  CellId root(CellId cell) {
    while (parent_[at(cell)] != cell) {
      parent_[at(cell)] = parent_[at(parent_[at(cell)])];
      cell = parent_[at(cell)];
    }
    return cell;
  }

  void unite(CellId a, CellId b) {
    a = root(a);
    b = root(b);
    if (a == b) return;
    if (b < a) std::swap(a, b);  // the root is the oldest cell: stable names and order
    parent_[at(b)] = a;
    if (pinned_[at(a)].empty()) pinned_[at(a)] = std::move(pinned_[at(b)]);
  }

  /// The first reason stays.
  void pin(CellId cell, const std::string& reason) {
    auto& stated = pinned_[at(root(cell))];
    if (stated.empty()) stated = reason;
  }

  std::size_t size() const { return parent_.size(); }
  const std::string& pinned(CellId cell) { return pinned_[at(root(cell))]; }

 private:
  static std::size_t at(CellId cell) { return static_cast<std::size_t>(cell); }
  std::vector<CellId> parent_;
  std::vector<std::string> pinned_;
};

std::map<Axis, std::vector<CellId>> number_cells(const Graph& graph, CellSets& sets) {
  std::map<Axis, std::vector<CellId>> cells;
  for (const auto id : graph.parameters()) {
    const auto& shape = graph.value(id).shape;
    for (std::size_t dimension = 0; dimension < shape.size(); ++dimension) {
      auto& axis = cells[{id, static_cast<std::int32_t>(dimension)}];
      for (std::int64_t i = 0; i < shape[dimension]; ++i) axis.push_back(sets.add());
    }
  }
  return cells;
}

/// A node's view of the flow, shared by the walk that finds the coupling and the one that checks a removal.
class NodeFlow : public IdFlow {
 public:
  NodeFlow(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  const Node& node() const override { return node_; }
  const Shape& input_shape(std::size_t input) const override {
    return graph_.value(node_.inputs[input]).shape;
  }
  const Shape& output_shape() const override { return graph_.value(node_.output).shape; }
  std::size_t input_count() const override { return node_.inputs.size(); }

  void emit(IdLayer layer) override {
    assert(layer.varying_axis() >= 1 && layer.shape == output_shape());
    emitted_.push_back(std::move(layer));
  }

  void pin(const IdLayer& layer, const std::string& reason) override {
    for (const auto cell : *layer.cells) pin(cell, reason);
  }
  using IdFlow::pin;

  IdLayers take_emitted() { return std::move(emitted_); }

 protected:
  const Graph& graph_;
  const Node& node_;
  IdLayers emitted_;
};

class FindingFlow final : public NodeFlow {
 public:
  FindingFlow(const Graph& graph, const Node& node, Coupling& coupling, CellSets& sets,
              std::vector<std::pair<CellId, std::string>>& spatial)
      : NodeFlow(graph, node), coupling_(coupling), sets_(sets), spatial_(spatial) {}

  const IdLayers& layers(std::size_t input) const override {
    return coupling_.layers[index_of(node_.inputs[input])];
  }
  std::vector<CellId> cells(std::size_t input, int dimension) const override {
    return coupling_.cells.at({node_.inputs[input], dimension});
  }

  void tie(CellId a, CellId b) override {
    if (a != kNoCell && b != kNoCell) return sets_.unite(a, b);
    if (a != kNoCell || b != kNoCell)
      sets_.pin(std::max(a, b), fmt::format("node '{}' pairs it with data that nothing removes", node_.name));
  }

  using NodeFlow::pin;
  void pin(CellId cell, const std::string& reason) override {
    if (cell != kNoCell) sets_.pin(cell, reason);
  }

  void becomes_spatial(const IdLayer& layer, const std::string& reason) override {
    for (const auto cell : *layer.cells) {
      if (cell != kNoCell) spatial_.emplace_back(cell, reason);
    }
  }

 private:
  Coupling& coupling_;
  CellSets& sets_;
  std::vector<std::pair<CellId, std::string>>& spatial_;
};

/// The pattern of `patterns` that `name` matches, or nullptr.
const std::string* matching(const std::vector<std::string>& patterns, std::string_view name) {
  for (const auto& pattern : patterns) {
    if (matches(pattern, name)) return &pattern;
  }
  return nullptr;
}

/// A pattern that matches no node is a typing error that would silently prune what should stay.
void check_patterns(const Graph& graph, const std::vector<std::string>& patterns, std::string_view key) {
  std::vector<std::string> names;
  for (const auto& node : graph.nodes()) names.push_back(node.name);
  for (const auto& pattern : patterns) {
    if (std::any_of(names.begin(), names.end(), [&](const auto& name) { return matches(pattern, name); }))
      continue;
    const auto near = nearest_name(pattern, names);
    throw Error(
        ErrorKind::recipe,
        {std::string(key), fmt::format("'{}' matches no node", pattern), "names or patterns of nodes",
         near.empty() ? "`libcompress inspect` lists the nodes" : fmt::format("did you mean '{}'?", near)});
  }
}

/// One walk over the graph.
class Walk {
 public:
  Walk(const Graph& graph, const GroupOptions& options) : graph_(graph), options_(options) {
    coupling_.cells = number_cells(graph, sets_);
    coupling_.layers.resize(graph.values().size());
    allowed_.assign(sets_.size(), 0);
    maker_.assign(sets_.size(), -1);
  }

  Coupling run() {
    const auto order = graph_.topological_order();
    for (std::size_t i = 0; i < order.size(); ++i) visit(graph_.node(order[i]), static_cast<int>(i));
    for (const auto output : graph_.outputs()) pin_value(output, "it is the network's output");
    decide_spatial();
    finish();
    return std::move(coupling_);
  }

 private:
  void visit(const Node& node, int position) {
    const auto& op = find_op(node.op, node.name);
    if (!op.couple) return pin_node(node);
    FindingFlow flow(graph_, node, coupling_, sets_, spatial_);
    op.couple(flow);
    auto& layers = coupling_.layers[index_of(node.output)] = flow.take_emitted();
    const bool chosen = matching(options_.spatial, node.name) != nullptr;
    for (const auto& layer : layers) {
      for (const auto cell : *layer.cells) {
        if (cell == kNoCell) continue;
        auto& maker = maker_[static_cast<std::size_t>(cell)];
        if (maker < 0) maker = position;
        if (chosen) allowed_[static_cast<std::size_t>(cell)] = 1;
      }
    }
    if (const auto* pattern = matching(options_.ignore, node.name))
      pin_value(node.output, fmt::format("ignored by the recipe (pattern '{}')", *pattern));
  }

  /// Unknown means pinned.
  void pin_node(const Node& node) {
    const auto reason = fmt::format("operator '{}' of node '{}' has no coupling rule", node.op, node.name);
    for (const auto input : node.inputs) {
      pin_value(input, reason);
      for (std::size_t d = 0; d < graph_.value(input).shape.size(); ++d) {
        const auto found = coupling_.cells.find({input, static_cast<std::int32_t>(d)});
        if (found == coupling_.cells.end()) continue;
        for (const auto cell : found->second) sets_.pin(cell, reason);
      }
    }
  }

  void pin_value(ValueId value, const std::string& reason) {
    for (const auto& layer : coupling_.layers[index_of(value)]) {
      for (const auto cell : *layer.cells) {
        if (cell != kNoCell) sets_.pin(cell, reason);
      }
    }
  }

  /// Only now is it known which nodes make the cells that became spatial: a later tie may have added one.
  void decide_spatial() {
    std::vector<char> allowed(sets_.size(), 0);
    for (std::size_t i = 0; i < allowed_.size(); ++i) {
      if (allowed_[i]) allowed[static_cast<std::size_t>(sets_.root(static_cast<CellId>(i)))] = 1;
    }
    coupling_.spatial.resize(sets_.size());
    for (const auto& [cell, reason] : spatial_) {
      const auto root = sets_.root(cell);
      coupling_.spatial[static_cast<std::size_t>(root)] = reason;
      if (!allowed[static_cast<std::size_t>(root)]) sets_.pin(root, reason);
    }
  }

  void finish() {
    const auto count = static_cast<CellId>(sets_.size());
    coupling_.pinned.resize(sets_.size());
    coupling_.maker.assign(sets_.size(), -1);
    for (CellId cell = 0; cell < count; ++cell) {
      const auto root = static_cast<std::size_t>(sets_.root(cell));
      coupling_.root.push_back(static_cast<CellId>(root));
      coupling_.pinned[root] = sets_.pinned(cell);
      auto& maker = coupling_.maker[root];
      const auto made_by = maker_[static_cast<std::size_t>(cell)];
      if (made_by >= 0 && (maker < 0 || made_by < maker)) maker = made_by;
    }
  }

  const Graph& graph_;
  const GroupOptions& options_;
  CellSets sets_;
  Coupling coupling_;
  std::vector<std::pair<CellId, std::string>> spatial_;
  std::vector<char> allowed_;  ///< by cell: a chosen node's output carries it
  std::vector<int> maker_;     ///< by cell
};

/// Ids of one axis as roots, without the positions that go.
struct Survivors {
  const Coupling& coupling;
  std::vector<char> gone;  ///< by root

  bool dead(CellId cell) const {
    return cell != kNoCell && gone[static_cast<std::size_t>(coupling.root[static_cast<std::size_t>(cell)])];
  }
  CellId root(CellId cell) const {
    return cell == kNoCell ? kNoCell : coupling.root[static_cast<std::size_t>(cell)];
  }

  /// An element goes when any layer along the axis says so.
  std::vector<char> kept_positions(const IdLayers& layers, int axis, std::size_t extent) const {
    std::vector<char> kept(extent, 1);
    for (const auto& layer : layers) {
      if (layer.varying_axis() != axis) continue;
      const auto cells = layer.along(axis);
      for (std::size_t i = 0; i < extent; ++i) kept[i] = kept[i] && !dead(cells[i]);
    }
    return kept;
  }

  /// The layers of a value as the smaller value must have them.
  IdLayers compacted(const IdLayers& layers, const Shape& small) const {
    IdLayers result;
    for (const auto& layer : layers) {
      const int axis = layer.varying_axis();
      const auto cells = layer.along(axis);
      const auto kept = kept_positions(layers, axis, cells.size());
      std::vector<CellId> roots;
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (kept[i]) roots.push_back(root(cells[i]));
      }
      if (static_cast<std::int64_t>(roots.size()) != small[static_cast<std::size_t>(axis)]) return {};
      result.push_back(IdLayer::along_axis(small, axis, std::move(roots)));
    }
    return result;
  }
};

[[noreturn]] void refuse_removal(const Node& node, const std::string& found) {
  throw Error(ErrorKind::input, {fmt::format("node '{}' after pruning", node.name), found,
                                 "what the plan leaves of the unpruned network",
                                 "the plan or the operator's coupling rule is wrong; please report it"});
}

class CheckingFlow final : public NodeFlow {
 public:
  CheckingFlow(const Graph& after, const Node& node, const std::vector<IdLayers>& inputs,
               const std::map<Axis, std::vector<CellId>>& cells, const Coupling& coupling, bool compare_ties)
      : NodeFlow(after, node),
        inputs_(inputs),
        cells_(cells),
        coupling_(coupling),
        compare_ties_(compare_ties) {}

  const IdLayers& layers(std::size_t input) const override { return inputs_[input]; }
  std::vector<CellId> cells(std::size_t input, int dimension) const override {
    return cells_.at({node_.inputs[input], dimension});
  }

  void tie(CellId a, CellId b) override {
    if (!compare_ties_ || a == b) return;
    if (a == kNoCell || b == kNoCell) return expect_pinned(std::max(a, b));
    refuse_removal(node_, "an index that meets another one than before");
  }

  using NodeFlow::pin;
  void pin(CellId cell, const std::string&) override {
    if (compare_ties_ && cell != kNoCell) expect_pinned(cell);
  }
  void becomes_spatial(const IdLayer&, const std::string&) override {}

 private:
  void expect_pinned(CellId root) const {
    if (coupling_.pinned[static_cast<std::size_t>(root)].empty())
      refuse_removal(node_, "an index that could shrink before and cannot now");
  }

  const std::vector<IdLayers>& inputs_;
  const std::map<Axis, std::vector<CellId>>& cells_;
  const Coupling& coupling_;
  bool compare_ties_;
};

/// Where an extent shrank to 1 the small node can be read as another form of its operator (a grouped
/// convolution as a depthwise one), whose ties say nothing about this removal.
bool became_single(const Graph& before, const Graph& after, const Node& node) {
  for (const auto input : node.inputs) {
    const auto& large = before.value(input).shape;
    const auto& small = after.value(input).shape;
    for (std::size_t i = 0; i < large.size(); ++i) {
      if (large[i] > 1 && small[i] == 1) return true;
    }
  }
  return false;
}

bool same_layer(const IdLayer& a, const IdLayer& b) {
  return a.shape == b.shape && a.varying_axis() == b.varying_axis() &&
         a.along(a.varying_axis()) == b.along(b.varying_axis());
}

/// What dies of each class, checked to be all of it or nothing.
std::vector<char> gone_roots(const Coupling& coupling, const Graph& graph, const Removal& removed) {
  std::vector<char> gone(coupling.root.size(), 0);
  for (const auto& [axis, indices] : removed) {
    for (const auto index : indices)
      gone[static_cast<std::size_t>(coupling.root[static_cast<std::size_t>(
          coupling.cells.at(axis).at(static_cast<std::size_t>(index)))])] = 1;
  }
  for (const auto& [axis, cells] : coupling.cells) {
    const auto found = removed.find(axis);
    std::vector<char> here(cells.size(), 0);
    if (found != removed.end()) {
      for (const auto index : found->second) here[static_cast<std::size_t>(index)] = 1;
    }
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto root = static_cast<std::size_t>(coupling.root[static_cast<std::size_t>(cells[i])]);
      if (static_cast<bool>(gone[root]) != static_cast<bool>(here[i]))
        throw Error(ErrorKind::input,
                    {fmt::format("tensor '{}'", graph.value(axis.value).name),
                     fmt::format("index {} of axis {} would stay while what it is coupled with goes", i,
                                 axis.dimension),
                     "coupled indices removed together", "the groups do not belong to this graph"});
    }
  }
  return gone;
}

}  // namespace

Coupling flow_ids(const Graph& graph, const GroupOptions& options) {
  check_patterns(graph, options.ignore, "prune.ignore");
  check_patterns(graph, options.spatial, "prune.spatial");
  return Walk(graph, options).run();
}

void verify_removal(const Coupling& coupling, const Graph& before, const Graph& after,
                    const Removal& removed) {
  const Survivors survivors{coupling, gone_roots(coupling, before, removed)};
  std::map<Axis, std::vector<CellId>> cells;
  for (const auto& [axis, all] : coupling.cells) {
    auto& kept = cells[axis];
    for (const auto cell : all) {
      if (!survivors.dead(cell)) kept.push_back(survivors.root(cell));
    }
    const auto& value = after.value(axis.value);
    const auto extent = value.shape[static_cast<std::size_t>(axis.dimension)];
    if (static_cast<std::int64_t>(kept.size()) != extent)
      throw Error(ErrorKind::input, {fmt::format("tensor '{}' after pruning", value.name),
                                     fmt::format("{} indices of axis {}", extent, axis.dimension),
                                     fmt::format("{}", kept.size()), ""});
  }
  for (const auto& node : after.nodes()) {
    const auto& op = find_op(node.op, node.name);
    if (!op.couple) continue;
    std::vector<IdLayers> inputs;
    for (const auto input : node.inputs)
      inputs.push_back(survivors.compacted(coupling.layers[index_of(input)], after.value(input).shape));
    CheckingFlow flow(after, node, inputs, cells, coupling, !became_single(before, after, node));
    op.couple(flow);
    const auto found = flow.take_emitted();
    const auto& wanted = coupling.layers[index_of(node.output)];
    const auto expected = survivors.compacted(wanted, after.value(node.output).shape);
    if (expected.size() != wanted.size())
      refuse_removal(node, "an output of another extent than what survives");
    for (const auto& layer : expected) {
      if (std::none_of(found.begin(), found.end(),
                       [&](const auto& other) { return same_layer(layer, other); }))
        refuse_removal(node, "an output whose elements are not the ones that survive");
    }
  }
}

}  // namespace compress
