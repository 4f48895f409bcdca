#include "libcompress/analysis/coupling.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "libcompress/analysis/node_flow.h"
#include "libcompress/base/error.h"
#include "libcompress/base/options.h"
#include "libcompress/graph/op.h"

namespace compress {
namespace {

/// Texts by number: thousands of cells share a few reasons.
class Reasons {
 public:
  std::int32_t number_of(const std::string& text) {
    const auto [found, added] = numbers_.emplace(text, static_cast<std::int32_t>(texts_.size()));
    if (added) texts_.push_back(text);
    return found->second;
  }
  std::vector<std::string> take() { return std::move(texts_); }

 private:
  std::unordered_map<std::string, std::int32_t> numbers_;
  std::vector<std::string> texts_;
};

/// Sets of cells that live or die together, with what is known of each set at its root.
class CellSets {
 public:
  std::vector<CellId> add(std::size_t count) {
    std::vector<CellId> cells(count);
    std::iota(cells.begin(), cells.end(), static_cast<CellId>(parent_.size()));
    parent_.insert(parent_.end(), cells.begin(), cells.end());
    pinned_.insert(pinned_.end(), count, -1);
    return cells;
  }

  void reserve(std::size_t cells) {
    parent_.reserve(cells);
    pinned_.reserve(cells);
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
    if (pinned_[at(a)] < 0) pinned_[at(a)] = pinned_[at(b)];
  }

  /// The first reason stays.
  void pin(CellId cell, std::int32_t reason) {
    auto& stated = pinned_[at(root(cell))];
    if (stated < 0) stated = reason;
  }

  std::size_t size() const { return parent_.size(); }
  std::int32_t pinned(CellId cell) { return pinned_[at(root(cell))]; }

 private:
  static std::size_t at(CellId cell) { return static_cast<std::size_t>(cell); }
  std::vector<CellId> parent_;
  std::vector<std::int32_t> pinned_;
};

/// What rules say of cells, as the walk collects it.
struct Findings {
  CellSets sets;
  Reasons reasons;
  std::vector<std::pair<CellId, std::int32_t>> spatial;
  std::vector<std::vector<CellId>> parts;
};

class FindingFlow final : public NodeFlow {
 public:
  FindingFlow(const Graph& graph, const Node& node, Coupling& coupling, Findings& findings)
      : NodeFlow(graph, graph, node), coupling_(coupling), findings_(findings) {}

  const IdLayers& layers(std::size_t input) const override {
    return coupling_.layers[index_of(node_.inputs[input])];
  }

  CellId root(CellId cell) const override { return cell == kNoCell ? kNoCell : findings_.sets.root(cell); }

  using IdFlow::tie;
  void tie(CellId a, CellId b) override {
    if (a != kNoCell && b != kNoCell) return findings_.sets.unite(a, b);
    if (a != kNoCell || b != kNoCell) {
      if (pairs_reason_ < 0)
        pairs_reason_ = findings_.reasons.number_of(
            fmt::format("node '{}' pairs it with data that nothing removes", node_.name));
      findings_.sets.pin(std::max(a, b), pairs_reason_);
    }
  }

  using IdFlow::pin;
  void pin(CellId cell, const std::string& reason) override {
    if (cell != kNoCell) findings_.sets.pin(cell, findings_.reasons.number_of(reason));
  }

  /// Whether something of `layer` may go. What is pinned for good needs to flow no further: behind, the axis
  /// is as good as dense.
  bool is_alive(const IdLayer& layer) const {
    return std::any_of(layer.cells->begin(), layer.cells->end(),
                       [this](CellId cell) { return cell != kNoCell && findings_.sets.pinned(cell) < 0; });
  }

  std::vector<CellId> fresh(std::size_t count) override {
    auto& own = coupling_.fresh[node_.id];
    auto cells = findings_.sets.add(count);
    own.insert(own.end(), cells.begin(), cells.end());
    return cells;
  }

  void keep_one_of(const std::vector<CellId>& cells) override { findings_.parts.push_back(cells); }

  void becomes_spatial(const IdLayer& layer, const std::string& reason) override {
    const auto number = findings_.reasons.number_of(reason);
    for (const auto cell : *layer.cells) {
      if (cell != kNoCell) findings_.spatial.emplace_back(cell, number);
    }
  }

 private:
  Coupling& coupling_;
  Findings& findings_;
  std::int32_t pairs_reason_ = -1;
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
    coupling_.layers.resize(graph.values().size());
    constant_.assign(graph.values().size(), 0);
    const auto parameters = graph.parameters();
    std::size_t cells = 0;
    for (const auto id : parameters) {
      for (const auto extent : graph.value(id).shape) cells += static_cast<std::size_t>(extent);
    }
    findings_.sets.reserve(cells);
    for (const auto id : parameters) number_cells(graph.value(id));
  }

  Coupling run() {
    const auto order = graph_.topological_order();
    for (std::size_t i = 0; i < order.size(); ++i) visit(graph_.node(order[i]), static_cast<std::int32_t>(i));
    for (const auto output : graph_.outputs()) pin_value(output, "it is the network's output");
    decide_spatial();
    finish();
    return std::move(coupling_);
  }

 private:
  void number_cells(const Value& value) {
    constant_[index_of(value.id)] = 1;
    auto& layers = coupling_.layers[index_of(value.id)];
    // A running statistic stays in the twin, so only parameters count as zero.
    const bool zero = value.kind == ValueKind::parameter;
    for (std::size_t dimension = 0; dimension < value.shape.size(); ++dimension) {
      const auto extent = static_cast<std::size_t>(value.shape[dimension]);
      layers.emplace_back(static_cast<int>(dimension), findings_.sets.add(extent), zero);
    }
  }

  void visit(const Node& node, std::int32_t position) {
    const auto& op = find_op(node.op, node.name);
    if (!op.couple) return pin_node(node);
    FindingFlow flow(graph_, node, coupling_, findings_);
    op.couple(flow);
    auto layers = flow.take_emitted();
    // What only depends on constants (a weight that is turned before its use) is made by who uses it.
    const bool constant = std::all_of(node.inputs.begin(), node.inputs.end(),
                                      [this](ValueId id) { return constant_[index_of(id)] != 0; });
    constant_[index_of(node.output)] = constant;
    const bool chosen = matching(options_.spatial, node.name) != nullptr;
    maker_.resize(findings_.sets.size(), -1);
    allowed_.resize(findings_.sets.size(), 0);
    for (const auto& layer : layers) {
      if (!constant && !is_handed_on(node, layer)) note_maker(layer, position);
      if (chosen) note_allowed(layer);
    }
    // Of a computed weight dead layers move on to the node that uses it, which the group is listed under.
    if (!constant) std::erase_if(layers, [&flow](const IdLayer& layer) { return !flow.is_alive(layer); });
    coupling_.layers[index_of(node.output)] = std::move(layers);
    if (const auto* pattern = matching(options_.ignore, node.name))
      pin_value(node.output, fmt::format("ignored by the recipe (pattern '{}')", *pattern));
  }

  /// Whether an activation that `node` reads carries these very ids: their maker is known then.
  bool is_handed_on(const Node& node, const IdLayer& layer) const {
    return std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
      const auto& carried = coupling_.layers[index_of(id)];
      return constant_[index_of(id)] == 0 &&
             std::any_of(carried.begin(), carried.end(),
                         [&](const IdLayer& other) { return other.cells == layer.cells; });
    });
  }

  void note_maker(const IdLayer& layer, std::int32_t position) {
    for (const auto cell : *layer.cells) {
      if (cell == kNoCell) continue;
      auto& maker = maker_[static_cast<std::size_t>(cell)];
      if (maker < 0) maker = position;
    }
  }

  void note_allowed(const IdLayer& layer) {
    for (const auto cell : *layer.cells) {
      if (cell != kNoCell) allowed_[static_cast<std::size_t>(cell)] = 1;
    }
  }

  /// Unknown means pinned.
  void pin_node(const Node& node) {
    const auto reason = fmt::format("operator '{}' of node '{}' has no coupling rule", node.op, node.name);
    for (const auto input : node.inputs) pin_value(input, reason);
  }

  void pin_value(ValueId value, const std::string& reason) {
    const auto number = findings_.reasons.number_of(reason);
    for (const auto& layer : coupling_.layers[index_of(value)]) {
      for (const auto cell : *layer.cells) {
        if (cell != kNoCell) findings_.sets.pin(cell, number);
      }
    }
  }

  /// Only now is it known which nodes make the cells that became spatial: a later tie may have added one.
  void decide_spatial() {
    auto& sets = findings_.sets;
    std::vector<char> allowed(sets.size(), 0);
    for (std::size_t i = 0; i < allowed_.size(); ++i) {
      if (allowed_[i]) allowed[static_cast<std::size_t>(sets.root(static_cast<CellId>(i)))] = 1;
    }
    coupling_.spatial.assign(sets.size(), -1);
    for (const auto& [cell, reason] : findings_.spatial) {
      const auto root = sets.root(cell);
      coupling_.spatial[static_cast<std::size_t>(root)] = reason;
      if (!allowed[static_cast<std::size_t>(root)]) sets.pin(root, reason);
    }
  }

  void finish() {
    auto& sets = findings_.sets;
    const auto count = static_cast<CellId>(sets.size());
    maker_.resize(sets.size(), -1);
    coupling_.pinned.assign(sets.size(), -1);
    coupling_.maker.assign(sets.size(), -1);
    coupling_.root.reserve(sets.size());
    for (CellId cell = 0; cell < count; ++cell) {
      const auto root = static_cast<std::size_t>(sets.root(cell));
      coupling_.root.push_back(static_cast<CellId>(root));
      coupling_.pinned[root] = sets.pinned(cell);
      auto& maker = coupling_.maker[root];
      const auto made_by = maker_[static_cast<std::size_t>(cell)];
      if (made_by >= 0 && (maker < 0 || made_by < maker)) maker = made_by;
    }
    coupling_.reasons = findings_.reasons.take();
    finish_parts();
  }

  /// A part in which something stays anyway needs no care.
  void finish_parts() {
    for (auto& part : findings_.parts) {
      const bool safe = std::any_of(part.begin(), part.end(), [this](CellId cell) {
        return cell == kNoCell || coupling_.pinned[static_cast<std::size_t>(coupling_.root_of(cell))] >= 0;
      });
      if (safe) continue;
      for (auto& cell : part) cell = coupling_.root_of(cell);
      std::sort(part.begin(), part.end());
      part.erase(std::unique(part.begin(), part.end()), part.end());
      coupling_.parts.push_back(std::move(part));
    }
  }

  const Graph& graph_;
  const GroupOptions& options_;
  Coupling coupling_;
  Findings findings_;
  std::vector<char> constant_;       ///< by value: made of parameters and buffers alone
  std::vector<char> allowed_;        ///< by cell: a chosen node's output carries it
  std::vector<std::int32_t> maker_;  ///< by cell
};

}  // namespace

Coupling flow_ids(const Graph& graph, const GroupOptions& options) {
  check_patterns(graph, options.ignore, "prune.ignore");
  check_patterns(graph, options.spatial, "prune.spatial");
  return Walk(graph, options).run();
}

std::vector<std::int64_t> surviving(const Coupling& coupling, const IdLayers& layers, int axis,
                                    std::int64_t extent, const std::vector<char>& gone) {
  std::vector<char> dead(static_cast<std::size_t>(extent), 0);
  for (const auto* layer : layers_along(layers, axis)) {
    for (std::size_t i = 0; i < dead.size(); ++i) {
      const auto cell = (*layer->cells)[i];
      if (cell != kNoCell && gone[static_cast<std::size_t>(coupling.root_of(cell))]) dead[i] = 1;
    }
  }
  std::vector<std::int64_t> kept;
  for (std::size_t i = 0; i < dead.size(); ++i) {
    if (!dead[i]) kept.push_back(static_cast<std::int64_t>(i));
  }
  return kept;
}

std::vector<char> gone_roots(const Coupling& coupling, const Removal& removed) {
  std::vector<char> gone(coupling.root.size(), 0);
  for (const auto& [axis, indices] : removed) {
    const auto& cells = coupling.cells(axis);
    for (const auto index : indices)
      gone[static_cast<std::size_t>(coupling.root_of(cells.at(static_cast<std::size_t>(index))))] = 1;
  }
  return gone;
}

}  // namespace compress
