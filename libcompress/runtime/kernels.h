// What each operator computes, by name of the op table.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <span>
#include <string_view>

#include "libcompress/graph/graph.h"

namespace compress {

/// `train`: batch statistics in norms (which update the running ones in place) and dropout. `evaluate`:
/// neither.
enum class Mode { evaluate, train };

struct KernelCall {
  const Attributes& attributes;
  std::span<const at::Tensor> inputs;  ///< in the operand order; absent optional operands are left out
  Mode mode = Mode::evaluate;
  at::Generator generator;  ///< for dropout; defined in train mode
};

/// Float tensors, batch first. Differentiable by autograd in every parameter and activation.
using Kernel = at::Tensor (*)(const KernelCall&);

/// nullptr if the operator has none (a test holds that each one has).
Kernel find_kernel(std::string_view op);

}  // namespace compress
