// What taps see in one forward and backward pass. Includes LibTorch; internal to train.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "libcompress/runtime/network.h"
#include "libcompress/strategy/criterion.h"

namespace compress {

/// Where the examples of a batch lie in an activation: index (o * examples + n) * inner + i of `axis` belongs
/// to example n. In most networks that is n of axis 0; attention merges examples with heads, or positions
/// first.
struct ExampleAxis {
  std::int64_t axis = 0;
  std::int64_t inner = 1;
};

/// Of each tapped activation, found by computing `output` for twice the same examples. Error of kind input,
/// naming the node, where examples lie on no axis or on the tap's own.
std::vector<ExampleAxis> example_axes(const Network& network, std::span<const Tap> taps, ValueId output);

/// Collects z * dL/dz, by example and index, while the loss of one batch goes backwards. Borrows `taps` and
/// `axes`; outlives the backward pass.
class TapReadings {
 public:
  /// For a batch of `examples`, whose loss is the mean of theirs. `axes` are those of example_axes().
  TapReadings(std::span<const Tap> taps, std::span<const ExampleAxis> axes, std::int64_t examples);
  TapReadings(const TapReadings&) = delete;

  /// A pass with running statistics that hands the taps what they ask for.
  Pass pass(const Graph& graph);

  /// One a tap, [examples, extent]; zeros where no gradient arrived. After the backward pass.
  std::vector<Tensor> take(const Graph& graph);

 private:
  at::Tensor read(const Node& node, std::size_t operand, at::Tensor tensor);
  void watch(std::size_t tap, const at::Tensor& tensor);

  std::span<const Tap> taps_;
  std::span<const ExampleAxis> axes_;
  std::int64_t examples_;
  std::vector<at::Tensor> changes_;  ///< by tap; undefined until a gradient arrives
};

}  // namespace compress
