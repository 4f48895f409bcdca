// The extents of a graph after removing indices of its groups, without touching a weight.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "libcompress/analysis/coupling.h"
#include "libcompress/analysis/extents.h"
#include "libcompress/analysis/groups.h"
#include "libcompress/graph/graph.h"
#include "libcompress/graph/op.h"

namespace compress {

/// By group, in the order of find_groups(): the kept indices, ascending. A group that cannot be pruned keeps
/// all.
using KeptIndices = std::vector<std::vector<std::int64_t>>;

/// 0 .. size - 1.
std::vector<std::int64_t> all_indices(std::int64_t size);

/// Shrinks one graph many times: what a search calls. Holds a reference to `graph`, copies what it needs of
/// `groups`.
class Shrinker {
 public:
  Shrinker(const Graph& graph, std::span<const PruningGroup> groups);
  /// The same where the coupling of the graph is known already.
  Shrinker(const Graph& graph, std::span<const PruningGroup> groups,
           std::shared_ptr<const Coupling> coupling);

  /// Extents of parameters by what is removed from them, literals by Op::resize, activations by Op::shape.
  /// Error of kind input naming the node whose window or operands do not fit any more.
  Extents shrink(const KeptIndices& kept) const;

 private:
  struct Loss {
    Axis axis;
    std::vector<std::int64_t> counts;  ///< by index of the group: how many of the axis' indices go with it
  };
  struct Step {
    const Node* node;
    const Op* op;
    bool makes_indices;  ///< it may shrink though its inputs do not
  };
  std::vector<char> gone_roots(const KeptIndices& kept) const;

  const Graph& graph_;
  std::shared_ptr<const Coupling> coupling_;
  Extents full_;
  std::vector<std::vector<Loss>> losses_;   ///< by group
  std::vector<std::vector<CellId>> roots_;  ///< by group and index
  std::vector<Step> steps_;                 ///< topological
};

}  // namespace compress
