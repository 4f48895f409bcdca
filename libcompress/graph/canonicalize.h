// Simpler forms of what importers find: the same network in fewer and better known operators.
//
// Each pass takes a valid graph and gives a valid graph that computes the same outputs under the same names.
// Inputs and outputs stay. Parameters keep their names; those that nothing reads any more drop out.
#pragma once

#include "libcompress/graph/graph.h"

namespace compress {

/// All passes below, in their order.
Graph canonicalize(const Graph& graph);
/// The same with the weights that are left.
Model canonicalize(const Model& model);

/// Reshape, permute, reshape that only reorder one axis become a channel_shuffle, or a gather where they do
/// more. Ids then move through them without a tie. Requires that nobody else reads what lies between.
Graph fold_shuffles(const Graph& graph);

/// Of two reshapes in a row only the last counts.
Graph merge_reshapes(const Graph& graph);

/// Identities, and reshapes, permutes, expands, slices, pads and concats that change nothing, drop out. One
/// that makes an output stays where its input cannot take the output's place under its name.
Graph drop_idle_nodes(const Graph& graph);

/// Nodes that no output needs, and parameters that no node reads.
Graph drop_dead_nodes(const Graph& graph);

}  // namespace compress
