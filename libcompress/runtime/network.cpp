#include "libcompress/runtime/network.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "libcompress/base/error.h"

namespace compress {
namespace {

/// The input may hold any multiple of the declared batch, but all other extents must be the graph's.
void check_input(const Value& value, const at::Tensor& input) {
  const auto sizes = input.sizes();
  const Shape given(sizes.begin(), sizes.end());
  Shape allowed = value.shape;
  if (!given.empty() && !allowed.empty() && given[0] > 0 && given[0] % allowed[0] == 0) allowed[0] = given[0];
  if (given != allowed)
    throw Error(ErrorKind::input, {fmt::format("input '{}'", value.name), "shape " + to_string(given),
                                   to_string(value.shape) + " with any multiple of that batch", ""});
}

/// By how much the batch of `input` is larger than the declared one.
std::int64_t batches_of(const Value& value, const at::Tensor& input) {
  return value.shape.empty() ? 1 : input.size(0) / value.shape[0];
}

}  // namespace

at::Tensor as_torch(const Tensor& tensor) {
  assert(tensor.dtype() == DType::float32);
  // LibTorch has no read-only tensors: callers of shared weights promise not to write.
  auto bytes = tensor.storage();
  auto* data = bytes.get();
  return at::from_blob(data, tensor.shape(), [keep = std::move(bytes)](void*) {}, at::kFloat);
}

Tensor from_torch(const at::Tensor& tensor) {
  const auto dense = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  const auto sizes = dense.sizes();
  Tensor copy(DType::float32, Shape(sizes.begin(), sizes.end()));
  std::copy_n(dense.const_data_ptr<float>(), copy.count(), copy.as<float>().begin());
  return copy;
}

Network::Network(const Model& model, WeightUse use) : graph_(model.graph), use_(use) {
  verify(model);
  weights_.resize(graph_.values().size());
  for (const auto id : graph_.parameters()) {
    const auto& value = graph_.value(id);
    const auto& weight = model.weights.find(value.name)->second;
    auto& tensor = weights_[index_of(id)];
    tensor = as_torch(use == WeightUse::shared ? weight : weight.clone());
    if (value.kind != ValueKind::parameter) continue;
    trained_.push_back(id);
    if (use == WeightUse::copied) tensor.set_requires_grad(true);
  }
  for (const auto id : graph_.topological_order()) {
    const auto kernel = find_kernel(graph_.node(id).op);
    assert(kernel != nullptr);
    steps_.push_back({kernel, id});
  }
}

const at::Tensor& Network::weight(ValueId id) const { return weights_.at(index_of(id)); }

/// Marks the values that `wanted` depend on, themselves included.
std::vector<char> Network::needed_for(std::span<const ValueId> wanted) const {
  std::vector<char> needed(weights_.size(), 0);
  for (const auto id : wanted) needed[index_of(id)] = 1;
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    const auto& node = graph_.node(step->node);
    if (!needed[index_of(node.output)]) continue;
    for (const auto id : node.inputs) needed[index_of(id)] = 1;
  }
  return needed;
}

std::vector<at::Tensor> Network::compute(std::span<const at::Tensor> inputs, std::span<const ValueId> wanted,
                                         const Pass& pass) const {
  assert(pass.mode == Mode::evaluate || use_ == WeightUse::copied);  // training writes running statistics
  auto values = weights_;
  const auto input_ids = graph_.inputs();
  if (inputs.size() != input_ids.size())
    throw Error(ErrorKind::input, {"network", fmt::format("{} inputs", inputs.size()),
                                   fmt::format("{}", input_ids.size()), ""});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& value = graph_.value(input_ids[i]);
    check_input(value, inputs[i]);
    const auto& first = graph_.value(input_ids[0]);
    if (!value.shape.empty() && !first.shape.empty() &&
        batches_of(value, inputs[i]) != batches_of(first, inputs[0]))
      throw Error(ErrorKind::input,
                  {fmt::format("input '{}'", value.name), fmt::format("a batch of {}", inputs[i].size(0)),
                   fmt::format("the batch of input '{}'", first.name), ""});
    values[index_of(value.id)] = inputs[i];
    if (pass.observe) pass.observe(value, inputs[i]);
  }

  // Activations are released after their last reader: evaluation then needs the memory of a few layers only.
  const auto needed = needed_for(wanted);
  std::vector<int> readers(values.size(), 0);
  for (const auto id : wanted) ++readers[index_of(id)];
  for (const auto& step : steps_) {
    const auto& node = graph_.node(step.node);
    if (!needed[index_of(node.output)]) continue;
    for (const auto id : node.inputs) ++readers[index_of(id)];
  }

  at::Generator generator;
  if (pass.mode == Mode::train) generator = at::make_generator<at::CPUGeneratorImpl>(pass.seed);
  std::vector<at::Tensor> operands;
  for (const auto& step : steps_) {
    const auto& node = graph_.node(step.node);
    if (!needed[index_of(node.output)]) continue;
    operands.clear();
    for (const auto id : node.inputs) {
      auto& operand = values[index_of(id)];
      const bool last = --readers[index_of(id)] == 0;
      operands.push_back(last ? std::exchange(operand, at::Tensor()) : operand);
      if (pass.read) operands.back() = pass.read(node, operands.size() - 1, std::move(operands.back()));
    }
    auto& output = values[index_of(node.output)];
    output = step.kernel({node.attributes, operands, pass.mode, generator});
    if (pass.observe) pass.observe(graph_.value(node.output), output);
  }

  std::vector<at::Tensor> results;
  for (const auto id : wanted) results.push_back(values[index_of(id)]);
  return results;
}

at::Tensor Network::forward(const at::Tensor& input, const Pass& pass) const {
  return compute({&input, 1}, {graph_.outputs().data(), 1}, pass).front();
}

StateDict Network::state() const {
  StateDict weights;
  for (const auto id : graph_.parameters()) weights[graph_.value(id).name] = from_torch(weight(id));
  return weights;
}

void Network::load(const StateDict& weights) {
  assert(use_ == WeightUse::copied);
  const c10::NoGradGuard without_gradients;
  for (const auto id : graph_.parameters()) {
    const auto& value = graph_.value(id);
    const auto found = weights.find(value.name);
    if (found == weights.end() || found->second.shape() != value.shape ||
        found->second.dtype() != DType::float32)
      throw Error(ErrorKind::input, {fmt::format("tensor '{}'", value.name),
                                     found == weights.end() ? "missing" : "of another shape or type",
                                     "float32 " + to_string(value.shape), ""});
    weights_[index_of(id)].copy_(as_torch(found->second));
  }
}

}  // namespace compress
