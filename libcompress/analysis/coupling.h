// The flow of cell ids through a whole graph: what find_groups() is made of and surgery is checked against.
//
// Invariants
// 1. Every index of every axis of every parameter and buffer has one cell; so has every index that a node
//    makes by itself (IdFlow::fresh). Nothing else has.
// 2. A layer belongs to one axis of its value. An element goes when any of its layers' ids goes, so what is
//    left of a value is always a box.
// 3. Cells that a rule tied have one root. A root that was pinned is never removed.
// 4. A parameter's index belongs to one cell, so that two groups never remove the same index of an axis.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "libcompress/analysis/groups.h"
#include "libcompress/graph/flow.h"
#include "libcompress/graph/graph.h"

namespace compress {

struct Coupling {
  std::vector<IdLayers> layers;       ///< by value; a parameter has one for each axis, in order
  std::vector<CellId> root;           ///< by cell: the representative of those that go together
  std::vector<std::int32_t> pinned;   ///< by cell, at its root: the reason why it stays, or -1
  std::vector<std::int32_t> spatial;  ///< by cell, at its root: how it becomes rows or columns, or -1
  std::vector<std::int32_t> maker;    ///< by cell, at its root: the position in topological order of the node
                                      ///< whose output first carries it; -1 if no output does
  std::vector<std::string> reasons;   ///< what `pinned` and `spatial` number
  std::map<NodeId, std::vector<CellId>> fresh;  ///< cells of the nodes' own
  std::vector<std::vector<CellId>> parts;       ///< roots of which one must stay, ascending

  const std::vector<CellId>& cells(const Axis& axis) const {
    return *layers[index_of(axis.value)][static_cast<std::size_t>(axis.dimension)].cells;
  }
  CellId root_of(CellId cell) const {
    return cell == kNoCell ? kNoCell : root[static_cast<std::size_t>(cell)];
  }
  /// Why the cells of `root_cell` stay; empty if they may go.
  std::string_view pin_reason(CellId root_cell) const { return reason(pinned, root_cell); }
  std::string_view spatial_reason(CellId root_cell) const { return reason(spatial, root_cell); }

 private:
  std::string_view reason(const std::vector<std::int32_t>& numbers, CellId root_cell) const {
    const auto number = numbers[static_cast<std::size_t>(root_cell)];
    return number < 0 ? std::string_view() : reasons[static_cast<std::size_t>(number)];
  }
};

Coupling flow_ids(const Graph& graph, const GroupOptions& options = {});

/// Which positions of `axis` stay when the roots marked in `gone` go: of a value with these layers and that
/// extent, ascending.
std::vector<std::int64_t> surviving(const Coupling& coupling, const IdLayers& layers, int axis,
                                    std::int64_t extent, const std::vector<char>& gone);

/// The removed indices of every axis of a parameter, ascending.
using Removal = std::map<Axis, std::vector<std::int64_t>>;

/// By root: whether it goes with `removed`.
std::vector<char> gone_roots(const Coupling& coupling, const Removal& removed);

/// Proves that `after` is `before` without `removed`: at every node of `after`, the surviving ids of its
/// inputs, moved by its rule, must give the survivors of the ids that `before` has at its output, and must
/// meet the parameters that they met before. Error of kind input naming the node where they do not: a bug of
/// a rule or a forged plan.
void verify_removal(const Coupling& coupling, const Graph& before, const Graph& after,
                    const Removal& removed);

}  // namespace compress
