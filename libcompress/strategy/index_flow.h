// Where the indices of groups enter the data and where they leave it: what criteria ask that look at filters
// or at activations.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "libcompress/analysis/coupling.h"
#include "libcompress/analysis/groups.h"
#include "libcompress/graph/graph.h"
#include "libcompress/strategy/criterion.h"

namespace compress {

/// An index of one of the groups; group -1: of none that may be pruned.
struct GroupIndex {
  std::int32_t group = -1;
  std::int32_t index = -1;
};

/// A tap, and to which index each position along its axis belongs.
struct GroupTap {
  Tap tap;
  std::vector<GroupIndex> indices;  ///< one a position
  std::int64_t elements = 1;        ///< of one position, for one example
};

/// Borrows `graph`; `groups` are of this graph and are asked for here only.
class IndexFlow {
 public:
  IndexFlow(const Graph& graph, std::span<const PruningGroup> groups);

  /// Outputs with indices of their node's own filters: of a convolution, before any norm.
  std::vector<GroupTap> made() const;

  /// Operands whose indices are read by the node's own weights, or end there in another way: in a sum over
  /// the axis, by becoming rows of an image.
  std::vector<GroupTap> read() const;

  /// Whether each index of this axis of a weight is a filter, which makes an index of the node's output. The
  /// axis along which a weight reads is none.
  bool is_filter_axis(const Axis& axis) const;

 private:
  using Counts = std::function<bool(CellId)>;
  const IdLayers& layers(ValueId value) const { return coupling_.layers[index_of(value)]; }
  GroupIndex index_of_cell(CellId cell) const;
  Counts own_cells(const Node& node) const;
  void add_tap(std::vector<GroupTap>& taps, const Tap& tap, const IdLayer& layer, const Counts& counts) const;

  const Graph& graph_;
  Coupling coupling_;
  std::vector<GroupIndex> by_root_;
  std::vector<char> constant_;     ///< by value: made of parameters and buffers alone
  std::vector<char> from_weight_;  ///< by cell: on an axis of a parameter of rank 2 or more
  std::vector<char> flows_;        ///< by cell: carried by the output of a node
};

}  // namespace compress
