// Stochastic gradient descent. Includes LibTorch.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "libcompress/recipe/recipe.h"
#include "libcompress/runtime/network.h"

namespace compress {

/// Momentum and weight decay as PyTorch's SGD has them (Sutskever et al., ICML 2013, in the form g' = g +
/// decay * w, v = momentum * v + g', w -= rate * (g' + momentum * v) with Nesterov, w -= rate * v without).
class Sgd {
 public:
  /// Borrows `network`, whose weights are copies. `masks` by parameter name: weights under a 0 become and
  /// stay 0.
  Sgd(Network& network, const TrainOptions& options, const StateDict& masks);

  /// Takes the gradients that backward() left and clears them.
  void step(double learning_rate);

  StateDict momentum() const;  ///< empty without momentum
  void load_momentum(const StateDict& momentum);

 private:
  Network& network_;
  const TrainOptions& options_;
  std::vector<at::Tensor> weights_;   ///< in the order of network.trained()
  std::vector<at::Tensor> momentum_;  ///< the same, or empty
  std::vector<at::Tensor> masks_;     ///< the same, undefined where there is no mask
};

}  // namespace compress
