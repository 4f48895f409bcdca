#include "libcompress/runtime/kernels.h"

#include <ATen/ops/add.h>
#include <ATen/ops/avg_pool1d.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/avg_pool3d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/bernoulli.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/div.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/flatten.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool1d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/max_pool3d.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/permute.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <vector>

namespace compress {
namespace {

using Integers = std::vector<std::int64_t>;

/// The graph states padding as all begins, then all ends.
struct Padding {
  Integers before;
  Integers after;

  explicit Padding(const Integers& both)
      : before(both.begin(), both.begin() + static_cast<std::ptrdiff_t>(both.size() / 2)),
        after(both.begin() + static_cast<std::ptrdiff_t>(both.size() / 2), both.end()) {}

  bool symmetric() const { return before == after; }

  at::Tensor apply(const at::Tensor& input, double value) const {
    Integers innermost_first;
    for (std::size_t i = before.size(); i-- > 0;)
      innermost_first.insert(innermost_first.end(), {before[i], after[i]});
    return at::constant_pad_nd(input, innermost_first, value);
  }
};

std::optional<at::Tensor> optional_input(const KernelCall& call, std::size_t i) {
  return call.inputs.size() > i ? std::optional(call.inputs[i]) : std::nullopt;
}

/// Images with the channels innermost: convolutions, norms and pools then take 1.1 to 1.5 times less time on
/// a CPU. What follows a convolution keeps its layout. An image of one channel needs the copy to get the
/// strides.
at::Tensor channels_innermost(const at::Tensor& input) {
  if (input.dim() != 4 || input.suggest_memory_format() == at::MemoryFormat::ChannelsLast) return input;
  return input.to(input.options(), /*non_blocking=*/false, /*copy=*/true, at::MemoryFormat::ChannelsLast);
}

at::Tensor conv(const KernelCall& call) {
  const Padding padding(call.attributes.integers("padding"));
  const Integers nothing(padding.before.size(), 0);
  const bool symmetric = padding.symmetric();
  const auto input = symmetric ? call.inputs[0] : padding.apply(call.inputs[0], 0);
  return at::convolution(channels_innermost(input), call.inputs[1], optional_input(call, 2),
                         call.attributes.integers("stride"), symmetric ? padding.before : nothing,
                         call.attributes.integers("dilation"),
                         /*transposed=*/false, nothing, call.attributes.integer("groups"));
}

at::Tensor linear(const KernelCall& call) {
  return at::linear(call.inputs[0], call.inputs[1], optional_input(call, 2));
}

at::Tensor batch_norm(const KernelCall& call) {
  return at::batch_norm(call.inputs[0], call.inputs[1], call.inputs[2], call.inputs[3], call.inputs[4],
                        call.mode == Mode::train, call.attributes.number("momentum"),
                        call.attributes.number("epsilon"), /*cudnn_enabled=*/true);
}

/// ATen's pools take symmetric padding of at most half the window; the graph's is any that is smaller than
/// it.
bool pool_pads_by_itself(const Padding& padding, const Integers& kernel) {
  if (!padding.symmetric()) return false;
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    if (2 * padding.before[i] > kernel[i]) return false;
  }
  return true;
}

at::Tensor max_pool(const KernelCall& call) {
  const auto& kernel = call.attributes.integers("kernel");
  const auto& stride = call.attributes.integers("stride");
  const Padding padding(call.attributes.integers("padding"));
  const bool direct = pool_pads_by_itself(padding, kernel);
  const auto input =
      direct ? call.inputs[0] : padding.apply(call.inputs[0], -std::numeric_limits<double>::infinity());
  const Integers pad = direct ? padding.before : Integers(kernel.size(), 0);
  if (kernel.size() == 1) return at::max_pool1d(input, kernel, stride, pad);
  if (kernel.size() == 2) return at::max_pool2d(input, kernel, stride, pad);
  return at::max_pool3d(input, kernel, stride, pad);
}

at::Tensor window_means(const at::Tensor& input, const Integers& kernel, const Integers& stride,
                        const Integers& pad) {
  constexpr bool ceil_mode = false;
  constexpr bool count_padding = false;
  if (kernel.size() == 1) return at::avg_pool1d(input, kernel, stride, pad, ceil_mode, count_padding);
  if (kernel.size() == 2) return at::avg_pool2d(input, kernel, stride, pad, ceil_mode, count_padding);
  return at::avg_pool3d(input, kernel, stride, pad, ceil_mode, count_padding);
}

at::Tensor avg_pool(const KernelCall& call) {
  const auto& kernel = call.attributes.integers("kernel");
  const auto& stride = call.attributes.integers("stride");
  const Padding padding(call.attributes.integers("padding"));
  if (pool_pads_by_itself(padding, kernel))
    return window_means(call.inputs[0], kernel, stride, padding.before);
  // Mean over the padded window, divided by the share of the window that is not padding.
  const Integers nothing(kernel.size(), 0);
  const auto sums = window_means(padding.apply(call.inputs[0], 0), kernel, stride, nothing);
  const auto shares = window_means(padding.apply(at::ones_like(call.inputs[0]), 0), kernel, stride, nothing);
  return at::div(sums, shares);
}

at::Tensor global_avg_pool(const KernelCall& call) {
  Integers spatial(static_cast<std::size_t>(call.inputs[0].dim()) - 2);
  std::iota(spatial.begin(), spatial.end(), 2);
  return at::mean(call.inputs[0], spatial, /*keepdim=*/true);
}

at::Tensor relu(const KernelCall& call) { return at::relu(call.inputs[0]); }

at::Tensor add(const KernelCall& call) { return at::add(call.inputs[0], call.inputs[1]); }

/// Draws from the call's own generator, so that a training step depends on its seed alone.
at::Tensor dropout(const KernelCall& call) {
  const double kept = 1 - call.attributes.number("rate");
  if (call.mode == Mode::evaluate || kept >= 1) return call.inputs[0];
  const auto mask = at::empty_like(call.inputs[0]).bernoulli_(kept, call.generator).div_(kept);
  return at::mul(call.inputs[0], mask);
}

at::Tensor softmax(const KernelCall& call) {
  return at::softmax(call.inputs[0], call.attributes.integer("axis"));
}

at::Tensor permute(const KernelCall& call) {
  return at::permute(call.inputs[0], call.attributes.integers("order")).contiguous();
}

at::Tensor flatten(const KernelCall& call) { return at::flatten(call.inputs[0], 1); }

at::Tensor concat(const KernelCall& call) {
  return at::cat(at::TensorList(call.inputs.data(), call.inputs.size()), call.attributes.integer("axis"));
}

}  // namespace

Kernel find_kernel(std::string_view op) {
  static const std::map<std::string_view, Kernel> kernels = {
      {"add", add},
      {"avg_pool", avg_pool},
      {"batch_norm", batch_norm},
      {"concat", concat},
      {"conv", conv},
      {"dropout", dropout},
      {"flatten", flatten},
      {"global_avg_pool", global_avg_pool},
      {"linear", linear},
      {"max_pool", max_pool},
      {"permute", permute},
      {"relu", relu},
      {"softmax", softmax},
  };
  const auto found = kernels.find(op);
  return found == kernels.end() ? nullptr : found->second;
}

}  // namespace compress
