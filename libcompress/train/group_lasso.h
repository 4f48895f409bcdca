// A penalty that draws all weights of a channel towards zero together, wherever they are: what is then pruned
// mattered little. Includes LibTorch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "libcompress/analysis/groups.h"
#include "libcompress/runtime/network.h"

namespace compress {

/// The group lasso (Yuan, Lin: Model selection and estimation in regression with grouped variables, 2006;
/// on channels: Wen et al., Learning Structured Sparsity in Deep Neural Networks, NIPS 2016) over coupled
/// slices (Fang et al., DepGraph, CVPR 2023):
///
///   strength * sum over the indices i of every prunable group of sqrt(n_i) * |w_i|
///
/// w_i are the n_i elements of all parameters that go with index i, biases and scales of norms among them;
/// |.| is their L2 norm. An element that goes with two indices counts in both. sqrt(n_i) makes the gradient
/// of an element `strength` times the element over the root mean square of its slice, in a wide layer as in a
/// narrow one.
class GroupLasso {
 public:
  /// Borrows `network`, whose weights are copies. `groups` are of its graph.
  GroupLasso(const Network& network, std::span<const PruningGroup> groups, double strength);

  double penalty() const;

  /// Adds the penalty's gradient to what backward() left. A slice of zeros has none: it stays zero if nothing
  /// else moves it.
  void add_gradients();

 private:
  /// An axis of a parameter: its position from[k] goes with index to[k] of the group.
  struct Slices {
    at::Tensor weight;
    std::int64_t dimension = 0;
    at::Tensor from, to;  ///< int64
  };
  struct Group {
    std::vector<Slices> members;
    at::Tensor roots;  ///< sqrt(n_i), by index
  };
  at::Tensor norms_of(const Group& group) const;

  std::vector<Group> groups_;
  double strength_;
};

}  // namespace compress
