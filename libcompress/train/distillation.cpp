#include "libcompress/train/distillation.h"

#include <ATen/ops/exp.h>
#include <ATen/ops/flatten.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/sum.h>
#include <c10/core/GradMode.h>

#include "libcompress/train/loss.h"

namespace compress {

Teacher::Teacher(const Model& model, const DistillationOptions& options)
    : network_(model, WeightUse::shared), scores_(find_class_scores(model.graph).logits), options_(options) {}

at::Tensor Teacher::blend(const at::Tensor& loss, const at::Tensor& input, const at::Tensor& logits) const {
  const double temperature = options_.temperature;
  const auto softened = [&](const at::Tensor& scores) {
    return at::log_softmax(at::flatten(scores, 1).div(temperature), 1);
  };
  at::Tensor taught;
  {
    const c10::NoGradGuard without_gradients;
    taught = softened(network_.compute({&input, 1}, {&scores_, 1}, {}).front());
  }
  const auto divergence = at::sum(at::mul(at::exp(taught), at::sub(taught, softened(logits))));
  const double weight = options_.weight * temperature * temperature / static_cast<double>(input.size(0));
  return loss.mul(1 - options_.weight).add(divergence.mul(weight));
}

}  // namespace compress
