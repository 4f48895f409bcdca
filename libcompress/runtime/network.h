// A model as LibTorch computes it, with gradients: the only model class there is.
//
// Includes LibTorch; executor.h is for those who only want numbers.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "libcompress/graph/graph.h"
#include "libcompress/runtime/kernels.h"

namespace compress {

/// Whether the tensors are the model's own bytes (only for evaluation: nothing may write to them) or a copy.
enum class WeightUse { shared, copied };

/// One forward pass.
struct Pass {
  Mode mode = Mode::evaluate;
  std::uint64_t seed = 0;  ///< of this pass' dropout
  /// Called with each input and activation as it is computed; may be empty.
  std::function<void(const Value&, const at::Tensor&)> observe{};
  /// Called with each operand that a node is about to read, and its place among the node's inputs; gives what
  /// the node reads instead, the same numbers (with gradients of this reading alone, say). May be empty.
  std::function<at::Tensor(const Node&, std::size_t operand, at::Tensor)> read{};
};

/// The view of a tensor's bytes as a LibTorch tensor, which keeps them alive.
at::Tensor as_torch(const Tensor& tensor);
/// A copy, float32, row-major.
Tensor from_torch(const at::Tensor& tensor);

/// Not for several threads at once.
class Network {
 public:
  /// Error of kind input if the model does not verify().
  Network(const Model& model, WeightUse use);

  /// The values `wanted`, computed from `inputs` (in the order of graph().inputs(), [batch, ...], float32).
  /// Computes only what they need. Gradients are recorded unless a c10::NoGradGuard is in force and as far as
  /// parameters require them.
  std::vector<at::Tensor> compute(std::span<const at::Tensor> inputs, std::span<const ValueId> wanted,
                                  const Pass& pass) const;

  /// The first output for the first input.
  at::Tensor forward(const at::Tensor& input, const Pass& pass = {}) const;

  const Graph& graph() const { return graph_; }

  /// A parameter's or buffer's tensor; a handle that shares its memory.
  const at::Tensor& weight(ValueId id) const;
  /// Trained parameters in the graph's order. Copied weights require gradients from the start.
  const std::vector<ValueId>& trained() const { return trained_; }

  /// Copies of all weights as they are now.
  StateDict state() const;
  /// Overwrites copied weights; every parameter and buffer must be there in its shape.
  void load(const StateDict& weights);

 private:
  struct Step {
    Kernel kernel;
    NodeId node;
  };
  std::vector<char> needed_for(std::span<const ValueId> wanted) const;

  Graph graph_;
  WeightUse use_;
  std::vector<Step> steps_;          ///< in topological order
  std::vector<at::Tensor> weights_;  ///< by value id; undefined for activations
  std::vector<ValueId> trained_;
};

}  // namespace compress
