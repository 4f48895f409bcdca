// What reads whole axes: linear layers, matrix products, norms, reductions.
#include <ATen/ops/abs.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/instance_norm.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/prod.h>
#include <ATen/ops/sum.h>

#include "libcompress/runtime/kernel_families.h"

namespace compress {
namespace {

constexpr bool kCudnn = true;

at::Tensor batch_norm(const KernelCall& call) {
  return at::batch_norm(call.inputs[0], call.inputs[1], call.inputs[2], call.inputs[3], call.inputs[4],
                        call.mode == Mode::train, call.attributes.number("momentum"),
                        call.attributes.number("epsilon"), kCudnn);
}

at::Tensor layer_norm(const KernelCall& call) {
  const auto extents =
      call.inputs[0].sizes().slice(static_cast<std::size_t>(call.attributes.integer("axis")));
  return at::layer_norm(call.inputs[0], extents, optional_input(call, 1), optional_input(call, 2),
                        call.attributes.number("epsilon"), kCudnn);
}

at::Tensor group_norm(const KernelCall& call) {
  return at::group_norm(call.inputs[0], call.attributes.integer("groups"), optional_input(call, 1),
                        optional_input(call, 2), call.attributes.number("epsilon"), kCudnn);
}

at::Tensor instance_norm(const KernelCall& call) {
  return at::instance_norm(call.inputs[0], optional_input(call, 1), optional_input(call, 2), {}, {},
                           /*use_input_stats=*/true, /*momentum=*/0.0, call.attributes.number("epsilon"),
                           kCudnn);
}

struct Reduction {
  const at::Tensor& input;
  const std::vector<std::int64_t>& axes;
  bool keep;

  explicit Reduction(const KernelCall& call)
      : input(call.inputs[0]),
        axes(call.attributes.integers("axes")),
        keep(call.attributes.boolean("keep")) {}
};

/// ATen takes no axis for all axes; the graph's empty list reduces nothing.
template <typename Reduce>
at::Tensor reduced(const KernelCall& call, Reduce reduce) {
  const Reduction reduction(call);
  return reduction.axes.empty() ? reduction.input : reduce(reduction);
}

at::Tensor product(const Reduction& r) {
  auto result = r.input;
  for (auto axis = r.axes.rbegin(); axis != r.axes.rend(); ++axis) result = at::prod(result, *axis, r.keep);
  return result;
}

/// Of one element a norm is its absolute value: along no axis, this is what is left to do.
at::Tensor norm(const KernelCall& call, double order) {
  const Reduction r(call);
  return r.axes.empty() ? at::abs(r.input) : at::linalg_vector_norm(r.input, order, r.axes, r.keep);
}

}  // namespace

Kernels whole_axis_kernels() {
  using Call = const KernelCall&;
  return {
      {"linear", [](Call c) { return at::linear(c.inputs[0], c.inputs[1], optional_input(c, 2)); }},
      {"matmul", [](Call c) { return at::matmul(c.inputs[0], c.inputs[1]); }},
      {"batch_norm", batch_norm},
      {"layer_norm", layer_norm},
      {"group_norm", group_norm},
      {"instance_norm", instance_norm},
      {"reduce_mean",
       [](Call c) { return reduced(c, [](auto& r) { return at::mean(r.input, r.axes, r.keep); }); }},
      {"reduce_sum",
       [](Call c) { return reduced(c, [](auto& r) { return at::sum(r.input, r.axes, r.keep); }); }},
      {"reduce_max",
       [](Call c) { return reduced(c, [](auto& r) { return at::amax(r.input, r.axes, r.keep); }); }},
      {"reduce_min",
       [](Call c) { return reduced(c, [](auto& r) { return at::amin(r.input, r.axes, r.keep); }); }},
      {"reduce_prod", [](Call c) { return reduced(c, product); }},
      {"reduce_l1", [](Call c) { return norm(c, 1); }},
      {"reduce_l2", [](Call c) { return norm(c, 2); }},
  };
}

}  // namespace compress
