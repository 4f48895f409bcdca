#include "libcompress/train/sgd.h"

#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "libcompress/base/error.h"

namespace compress {
namespace {

const Tensor& checked(const StateDict& tensors, const Value& value, const std::string& what) {
  const auto found = tensors.find(value.name);
  if (found == tensors.end() || found->second.shape() != value.shape ||
      found->second.dtype() != DType::float32)
    throw Error(ErrorKind::input, {fmt::format("{} of '{}'", what, value.name),
                                   found == tensors.end() ? "missing" : "of another shape or type",
                                   "float32 " + to_string(value.shape), ""});
  return found->second;
}

}  // namespace

Sgd::Sgd(Network& network, const TrainOptions& options, const StateDict& masks)
    : network_(network), options_(options) {
  const c10::NoGradGuard without_gradients;
  for (const auto id : network_.trained()) {
    const auto& value = network_.graph().value(id);
    weights_.push_back(network_.weight(id));
    if (options_.momentum != 0) momentum_.push_back(at::zeros_like(weights_.back()));
    masks_.emplace_back();
    if (!masks.contains(value.name)) continue;
    masks_.back() = as_torch(checked(masks, value, "mask").clone());
    weights_.back().mul_(masks_.back());
  }
  for (const auto& [name, mask] : masks) {
    const auto id = network_.graph().find_value(name);
    if (!id || network_.graph().value(*id).kind != ValueKind::parameter)
      throw Error(ErrorKind::input,
                  {fmt::format("mask of '{}'", name), "no such parameter", "a trained one", ""});
  }
}

void Sgd::step(double learning_rate) {
  const c10::NoGradGuard without_gradients;
  std::vector<at::Tensor> gradients;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    auto& gradient = weights_[i].mutable_grad();
    if (!gradient.defined()) gradient = at::zeros_like(weights_[i]);
    // A weight that is 0 and whose gradient is always 0 has no momentum and no decay: it stays 0.
    if (masks_[i].defined()) gradient.mul_(masks_[i]);
    // The fused step walks the memory of all three, so their layout must be one.
    if (gradient.strides() != weights_[i].strides()) gradient = at::empty_like(weights_[i]).copy_(gradient);
    gradients.push_back(gradient);
  }
  at::_fused_sgd_(weights_, gradients, momentum_, options_.weight_decay, options_.momentum, learning_rate,
                  /*dampening=*/0, options_.nesterov && options_.momentum != 0, /*maximize=*/false,
                  /*is_first_step=*/false);
  for (auto& weight : weights_) weight.mutable_grad().reset();
}

StateDict Sgd::momentum() const {
  StateDict state;
  for (std::size_t i = 0; i < momentum_.size(); ++i)
    state[network_.graph().value(network_.trained()[i]).name] = from_torch(momentum_[i]);
  return state;
}

void Sgd::load_momentum(const StateDict& momentum) {
  for (std::size_t i = 0; i < momentum_.size(); ++i) {
    const auto& value = network_.graph().value(network_.trained()[i]);
    momentum_[i].copy_(as_torch(checked(momentum, value, "momentum")));
  }
}

}  // namespace compress
