#include "libcompress/train/tapped.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/add.h>
#include <ATen/ops/alias.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/max.h>
#include <ATen/ops/movedim.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sum.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <map>

#include "libcompress/base/error.h"
#include "libcompress/base/random.h"

namespace compress {
namespace {

/// The sum by example and index: [examples, extent].
at::Tensor sums_by_index(const at::Tensor& products, const ExampleAxis& at, std::int64_t axis,
                         std::int64_t examples) {
  const auto turned = at::movedim(products, {at.axis, axis}, {0, 1});
  const auto outer = turned.size(0) / (examples * at.inner);
  return at::sum(turned.reshape({outer, examples, at.inner, turned.size(1), -1}), {0, 2, 4});
}

const Value& tapped(const Graph& graph, const Tap& tap) {
  const auto& node = graph.node(tap.node);
  return graph.value(tap.is_output() ? node.output : node.inputs[static_cast<std::size_t>(tap.operand)]);
}

/// The one axis that grows from `one` to `two`, which belong to one batch and to two; -1 if none or several.
std::int64_t growing_axis(at::IntArrayRef one, at::IntArrayRef two) {
  std::int64_t found = -1;
  for (std::size_t d = 0; d < one.size(); ++d) {
    if (one[d] == two[d]) continue;
    if (found >= 0 || two[d] != 2 * one[d]) return -1;
    found = static_cast<std::int64_t>(d);
  }
  return found;
}

/// A batch drawn from a fixed seed, and the same again.
std::vector<at::Tensor> doubled_inputs(const Graph& graph) {
  Random random(0);
  std::vector<at::Tensor> inputs;
  for (const auto id : graph.inputs()) {
    Tensor batch(DType::float32, graph.value(id).shape);
    for (auto& each : batch.as<float>()) each = static_cast<float>(random.normal());
    inputs.push_back(at::cat({as_torch(batch), as_torch(batch)}));
  }
  return inputs;
}

/// Whether both halves of the examples are the same if they lie like that.
bool repeats(const at::Tensor& along_axis, std::int64_t half) {
  const auto halves = along_axis.reshape({along_axis.size(0) / (2 * half), 2, half, -1});
  const auto scale = along_axis.abs().max().item<double>();
  return at::allclose(halves.select(1, 0), halves.select(1, 1), 1e-4, 1e-5 * scale);
}

/// Of an activation of `shape` for one batch, computed for `doubled_inputs`. Axis -1: of none.
ExampleAxis example_axis(const Shape& shape, const at::Tensor& doubled, std::int64_t examples) {
  const auto axis = growing_axis(shape, doubled.sizes());
  if (axis < 0) return {-1};
  const auto rows = shape[static_cast<std::size_t>(axis)] / examples;  // of one example
  const auto along_axis = doubled.movedim(axis, 0);
  for (auto inner = rows; inner >= 1; --inner) {
    if (rows % inner == 0 && repeats(along_axis, examples * inner)) return {axis, inner};
  }
  return {-1};
}

}  // namespace

std::vector<ExampleAxis> example_axes(const Network& network, std::span<const Tap> taps, ValueId output) {
  const auto& graph = network.graph();
  std::map<ValueId, at::Tensor> seen;
  for (const auto& tap : taps) seen.try_emplace(tapped(graph, tap).id);
  Pass pass;
  pass.observe = [&](const Value& value, const at::Tensor& tensor) {
    if (const auto wanted = seen.find(value.id); wanted != seen.end()) wanted->second = tensor;
  };
  const c10::NoGradGuard without_gradients;
  network.compute(doubled_inputs(graph), {&output, 1}, pass);

  const auto examples = graph.value(graph.inputs().front()).shape.front();
  std::vector<ExampleAxis> axes;
  for (const auto& tap : taps) {
    const auto& value = tapped(graph, tap);
    const auto& doubled = seen[value.id];
    // What the output does not need has no gradient either.
    axes.push_back(doubled.defined() ? example_axis(value.shape, doubled, examples) : ExampleAxis{});
    if (axes.back().axis < 0 || (doubled.defined() && axes.back().axis == tap.axis))
      throw Error(ErrorKind::input,
                  {fmt::format("node '{}'", graph.node(tap.node).name), "an activation that mixes examples",
                   "one axis of examples", "a criterion of weights ('magnitude') needs no activations"});
  }
  return axes;
}

TapReadings::TapReadings(std::span<const Tap> taps, std::span<const ExampleAxis> axes, std::int64_t examples)
    : taps_(taps), axes_(axes), examples_(examples), changes_(taps.size()) {}

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
  tensor.register_hook([this, tap, z = tensor.detach()](const at::Tensor& gradient) {
    // The loss is a mean: an example's own is `examples_` times its part.
    const auto change =
        sums_by_index(at::mul(z, gradient), axes_[tap], taps_[tap].axis, examples_).mul(examples_);
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
