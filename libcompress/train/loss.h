// The loss that training and gradient-based criteria share. Includes LibTorch.
#pragma once

#include <ATen/core/Tensor.h>

#include "libcompress/runtime/network.h"
#include "libcompress/train/batches.h"
#include "libcompress/train/distillation.h"

namespace compress {

/// Where a network's class scores are.
struct ClassScores {
  ValueId logits{};  ///< the softmax's input, or the output itself where there is no softmax
};

/// Error of kind input if the first output is not one vector of scores, or its softmax is over part of it.
ClassScores find_class_scores(const Graph& graph);

struct Loss {
  at::Tensor mean;  ///< Kullback-Leibler divergence from the targets, mean over the batch, in nats; scalar
  std::int64_t correct = 0;  ///< examples whose likeliest class is the target's
};

/// Forward pass and loss. The softmax goes into the logarithm (log-softmax of the logits), so that a
/// confident wrong answer gives a large loss and gradient instead of log 0. With a `teacher` the mean is its
/// blend() with that loss.
Loss loss_of(const Network& network, const ClassScores& scores, const Batch& batch, const Pass& pass,
             const Teacher* teacher = nullptr);

}  // namespace compress
