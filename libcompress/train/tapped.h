// What taps see in one forward and backward pass. Includes LibTorch; internal to train.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "libcompress/runtime/network.h"
#include "libcompress/strategy/criterion.h"

namespace compress {

/// Collects z * dL/dz, by example and index, while the loss of one batch goes backwards. Borrows `taps`;
/// outlives the backward pass.
class TapReadings {
 public:
  /// For a batch of `examples`, whose loss is the mean of theirs.
  TapReadings(std::span<const Tap> taps, std::int64_t examples);
  TapReadings(const TapReadings&) = delete;

  /// A pass with running statistics that hands the taps what they ask for.
  Pass pass(const Graph& graph);

  /// One a tap, [examples, extent]; zeros where no gradient arrived. After the backward pass.
  std::vector<Tensor> take(const Graph& graph);

 private:
  at::Tensor read(const Node& node, std::size_t operand, at::Tensor tensor);
  void watch(std::size_t tap, const at::Tensor& tensor);

  std::span<const Tap> taps_;
  std::int64_t examples_;
  std::vector<at::Tensor> changes_;  ///< by tap; undefined until a gradient arrives
};

}  // namespace compress
