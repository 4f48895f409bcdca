// The kernels by family, and what they share. Internal to runtime.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string_view>

#include "libcompress/runtime/kernels.h"

namespace compress {

using Kernels = std::map<std::string_view, Kernel>;

Kernels window_kernels();       ///< convolutions, pools
Kernels elementwise_kernels();  ///< activations, functions of two values, softmax, dropout
Kernels whole_axis_kernels();   ///< linear, matmul, norms, reductions
Kernels movement_kernels();     ///< concat, slice, pad, reshape, shuffles, resize, ...

/// Operand `i`, if it is there.
inline std::optional<at::Tensor> optional_input(const KernelCall& call, std::size_t i) {
  return call.inputs.size() > i ? std::optional(call.inputs[i]) : std::nullopt;
}

}  // namespace compress
