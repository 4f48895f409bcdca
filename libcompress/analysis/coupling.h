// The flow of cell ids through a whole graph: what find_groups() is made of and surgery is checked against.
//
// Invariants
// 1. Every index of every axis of every parameter and buffer has one cell; nothing else has.
// 2. A layer of a value varies along one axis. An element of the value goes when any of its layers' ids goes.
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
  std::map<Axis, std::vector<CellId>> cells;  ///< by axis of a parameter or buffer, one an index
  std::vector<IdLayers> layers;               ///< by value
  std::vector<CellId> root;                   ///< by cell: the representative of those that go together
  std::vector<std::string> pinned;            ///< by cell, at its root: why it stays; empty if it may go
  std::vector<std::string> spatial;  ///< by cell, at its root: how it becomes rows or columns; else empty
  std::vector<int> maker;            ///< by cell, at its root: the position in topological order of the
                                     ///< node whose output first carries it; -1 if no output does
};

Coupling flow_ids(const Graph& graph, const GroupOptions& options = {});

/// The removed indices of every axis of a parameter, ascending.
using Removal = std::map<Axis, std::vector<std::int64_t>>;

/// Proves that `after` is `before` without `removed`: at every node of `after`, the surviving ids of its
/// inputs, moved by its rule, must give the survivors of the ids that `before` has at its output, and must
/// meet the parameters that they met before. Error of kind input naming the node where they do not: a bug of
/// a rule or a forged plan.
void verify_removal(const Coupling& coupling, const Graph& before, const Graph& after,
                    const Removal& removed);

}  // namespace compress
