#include "libcompress/train/tapped.h"

#include <ATen/ops/add.h>
#include <ATen/ops/alias.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sum.h>
#include <fmt/format.h>

#include "libcompress/base/error.h"

namespace compress {
namespace {

/// The sum over all axes but `axis`, by example: [examples, extent].
at::Tensor sums_by_index(const at::Tensor& products, std::int64_t axis, std::int64_t examples) {
  const auto rows = products.size(0) / examples;  // of one example
  const auto extent = products.size(axis);
  auto by_example = products.transpose(1, axis).reshape({examples, rows, extent, -1});
  return at::sum(by_example, {1, 3});
}

const Value& tapped(const Graph& graph, const Tap& tap) {
  const auto& node = graph.node(tap.node);
  return graph.value(tap.is_output() ? node.output : node.inputs[static_cast<std::size_t>(tap.operand)]);
}

}  // namespace

TapReadings::TapReadings(std::span<const Tap> taps, std::int64_t examples)
    : taps_(taps), examples_(examples), changes_(taps.size()) {}

Pass TapReadings::pass(const Graph& graph) {
  Pass pass;
  pass.read = [this](const Node& node, std::size_t operand, at::Tensor tensor) {
    return read(node, operand, std::move(tensor));
  };
  pass.observe = [this, &graph](const Value& value, const at::Tensor& tensor) {
    for (std::size_t i = 0; i < taps_.size(); ++i) {
      if (!taps_[i].is_output() || graph.node(taps_[i].node).output != value.id) continue;
      if (!tensor.requires_grad()) tensor.set_requires_grad(true);  // nothing before it is asked for
      watch(i, tensor);
    }
  };
  return pass;
}

/// A tensor of its own, so that its gradient is that of this reading and not of all.
at::Tensor TapReadings::read(const Node& node, std::size_t operand, at::Tensor tensor) {
  at::Tensor own;
  for (std::size_t i = 0; i < taps_.size(); ++i) {
    if (taps_[i].node != node.id || taps_[i].operand != static_cast<std::int32_t>(operand)) continue;
    if (!own.defined())
      own = tensor.requires_grad() ? at::alias(tensor) : tensor.detach().set_requires_grad(true);
    watch(i, own);
  }
  return own.defined() ? own : tensor;
}

void TapReadings::watch(std::size_t tap, const at::Tensor& tensor) {
  if (tensor.dim() < 2 || taps_[tap].axis < 1 || tensor.size(0) % examples_ != 0)
    throw Error(ErrorKind::input,
                {"gradients", "an activation without a batch on axis 0", "one a layer", ""});
  tensor.register_hook([this, tap, z = tensor.detach()](const at::Tensor& gradient) {
    // The loss is a mean: an example's own is `examples_` times its part.
    const auto change = at::mul(sums_by_index(at::mul(z, gradient), taps_[tap].axis, examples_), examples_);
    auto& sum = changes_[tap];
    sum = sum.defined() ? sum.add(change) : change;
  });
}

std::vector<Tensor> TapReadings::take(const Graph& graph) {
  std::vector<Tensor> taken;
  for (std::size_t i = 0; i < taps_.size(); ++i) {
    const auto extent = tapped(graph, taps_[i]).shape[static_cast<std::size_t>(taps_[i].axis)];
    taken.push_back(changes_[i].defined() ? from_torch(changes_[i])
                                          : Tensor(DType::float32, {examples_, extent}));
  }
  changes_.assign(taps_.size(), {});
  return taken;
}

}  // namespace compress
