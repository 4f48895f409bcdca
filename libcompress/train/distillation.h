// Learning from the answers of a larger network: knowledge distillation (Hinton, Vinyals, Dean: Distilling
// the Knowledge in a Neural Network, 2015). Includes LibTorch.
#pragma once

#include <ATen/core/Tensor.h>

#include "libcompress/graph/graph.h"
#include "libcompress/recipe/recipe.h"
#include "libcompress/runtime/network.h"

namespace compress {

/// The network that is learned from. It answers as in evaluation: with running statistics, without dropout.
class Teacher {
 public:
  /// Error of kind input if the model does not end in one vector of class scores.
  Teacher(const Model& model, const DistillationOptions& options);

  /// (1 - w) * `loss` + w * T^2 * KL(softmax(teacher / T) || softmax(student / T)), mean over the batch, in
  /// nats; w and T are the options' weight and temperature. T^2 keeps the gradient's size as T changes.
  /// `input` is what the student saw, `logits` [count, classes] are its scores. Nothing flows into the
  /// teacher.
  at::Tensor blend(const at::Tensor& loss, const at::Tensor& input, const at::Tensor& logits) const;

 private:
  Network network_;
  ValueId scores_;
  DistillationOptions options_;
};

}  // namespace compress
