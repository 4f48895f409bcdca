#include "libcompress/runtime/executor.h"

#include <ATen/Parallel.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include <algorithm>
#include <thread>

#include "libcompress/base/error.h"
#include "libcompress/runtime/network.h"

namespace compress {
namespace {

/// A number has no batch: then there is one example.
Shape with_batch(Shape shape, std::int64_t batch) {
  if (!shape.empty()) shape[0] = batch;
  return shape;
}

std::int64_t declared_batch(const Value& input) { return input.shape.empty() ? 1 : input.shape[0]; }

std::span<const float> elements(const at::Tensor& dense) {
  return {dense.const_data_ptr<float>(), static_cast<std::size_t>(dense.numel())};
}

}  // namespace

int use_threads(int count) {
  const auto cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  at::set_num_threads(count > 0 ? count : cores);
  return at::get_num_threads();
}

int threads_in_use() { return at::get_num_threads(); }

void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int kNeverTrim = 0x7fffffff;
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, kNeverTrim);
#endif
}

struct Executor::Impl {
  Network network;
  Value input;
  Value output;
};

Executor::Executor(const Model& model) {
  const auto inputs = model.graph.inputs();
  if (inputs.size() != 1 || model.graph.outputs().empty())
    throw Error(ErrorKind::input,
                {fmt::format("model '{}'", model.name),
                 fmt::format("{} inputs and {} outputs", inputs.size(), model.graph.outputs().size()),
                 "one input and at least one output", ""});
  impl_ = std::make_unique<Impl>(Impl{Network(model, WeightUse::shared), model.graph.value(inputs.front()),
                                      model.graph.value(model.graph.outputs().front())});
}

Executor::~Executor() = default;
Executor::Executor(Executor&&) noexcept = default;
Executor& Executor::operator=(Executor&&) noexcept = default;

std::vector<float> Executor::run(std::span<const float> input, std::int64_t batch) {
  return run_observed(input, batch, {});
}

std::vector<float> Executor::run_observed(std::span<const float> input, std::int64_t batch,
                                          const ValueObserver& observe) {
  const auto shape = with_batch(impl_->input.shape, batch);
  if (batch < 1 || static_cast<std::int64_t>(input.size()) != element_count(shape))
    throw Error(ErrorKind::input, {fmt::format("input '{}'", impl_->input.name),
                                   fmt::format("{} elements for a batch of {}", input.size(), batch),
                                   fmt::format("{} elements an example", input_size()), ""});
  const c10::NoGradGuard without_gradients;
  Pass pass;
  if (observe)
    pass.observe = [&observe](const Value& value, const at::Tensor& tensor) {
      const auto dense = tensor.contiguous();
      const auto sizes = dense.sizes();
      observe(value.id, elements(dense), Shape(sizes.begin(), sizes.end()));
    };
  // from_blob takes a pointer to what it might change; evaluation changes nothing.
  const auto tensor = at::from_blob(const_cast<float*>(input.data()), shape, at::kFloat);
  // An observer sees all outputs and what leads to them.
  const auto& outputs = impl_->network.graph().outputs();
  const std::span<const ValueId> wanted(outputs.data(), observe ? outputs.size() : 1);
  const auto output = impl_->network.compute({&tensor, 1}, wanted, pass).front().contiguous();
  const auto values = elements(output);
  return {values.begin(), values.end()};
}

std::int64_t Executor::input_size() const {
  return element_count(impl_->input.shape) / declared_batch(impl_->input);
}

/// Not every output has the batch as its axis 0, but all of them hold its examples.
std::int64_t Executor::output_size() const {
  return std::max<std::int64_t>(1, element_count(impl_->output.shape) / declared_batch(impl_->input));
}

std::vector<Tensor> run_all(const Model& model, std::span<const Tensor> inputs) {
  const Network network(model, WeightUse::shared);
  const c10::NoGradGuard without_gradients;
  std::vector<at::Tensor> operands;
  for (const auto& input : inputs) operands.push_back(as_torch(input.to_float32()));
  std::vector<Tensor> outputs;
  for (const auto& output : network.compute(operands, network.graph().outputs(), {}))
    outputs.push_back(from_torch(output));
  return outputs;
}

std::vector<float> run(const Model& model, std::span<const float> input, std::int64_t batch) {
  return Executor(model).run(input, batch);
}

std::vector<float> run_observed(const Model& model, std::span<const float> input, std::int64_t batch,
                                const ValueObserver& observe) {
  return Executor(model).run_observed(input, batch, observe);
}

}  // namespace compress
