// Which axes of an imported graph grow with the batch.
//
// Only `reshape` says so itself (its attribute batch_axis); every other operator moves the axis as its data.
#pragma once

#include "libcompress/graph/graph.h"

namespace compress {

/// For a file whose extents fix the batch. The batch, axis 0 of every input, is followed through the graph;
/// where everything before it has extent 1, a reshape can put more examples behind each other, so its
/// batch_axis becomes 0. Every other reshape gets -1: such a network runs at its declared batch only.
Graph with_fixed_batch(const Graph& graph);

/// A graph as it was made for a number of examples, with what it stores.
struct MadeNetwork {
  const Graph& graph;
  const StateDict& weights;
};

/// For a file whose batch is open: `one` and `two` are the network made with a batch of 1 and of 2. Returns
/// the graph of `one` with the batch_axis of every reshape. They may store different values: one that `two`
/// holds once for each example is the one of `one`, which operators repeat, wherever and however often it is
/// read. Error of kind input naming the node or the constant if they differ in anything that the batch does
/// not explain.
Graph with_free_batch(const MadeNetwork& one, const MadeNetwork& two);

}  // namespace compress
