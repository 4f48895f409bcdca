// Convolutions and pools.
#include <ATen/ops/adaptive_avg_pool1d.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/adaptive_avg_pool3d.h>
#include <ATen/ops/adaptive_max_pool1d.h>
#include <ATen/ops/adaptive_max_pool2d.h>
#include <ATen/ops/adaptive_max_pool3d.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/avg_pool1d.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/avg_pool3d.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/div.h>
#include <ATen/ops/max_pool1d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/max_pool3d.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/ones_like.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "libcompress/runtime/kernel_families.h"

namespace compress {
namespace {

using Integers = std::vector<std::int64_t>;

Integers list_or(const KernelCall& call, std::string_view name, std::size_t size, std::int64_t fallback) {
  const auto& list = call.attributes.integers(name);
  return list.empty() ? Integers(size, fallback) : list;
}

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

/// What ATen cannot leave out itself is cut off its result.
at::Tensor conv_transpose(const KernelCall& call) {
  const auto spatial = static_cast<std::size_t>(call.inputs[0].dim()) - 2;
  const Padding padding(list_or(call, "padding", 2 * spatial, 0));
  Integers both;  // cut off on both sides, and what one side needs beyond that
  for (std::size_t i = 0; i < spatial; ++i) both.push_back(std::min(padding.before[i], padding.after[i]));
  auto output = at::convolution(
      call.inputs[0], call.inputs[1], optional_input(call, 2), list_or(call, "stride", spatial, 1), both,
      list_or(call, "dilation", spatial, 1), /*transposed=*/true, list_or(call, "output_padding", spatial, 0),
      call.attributes.integer("groups"));
  for (std::size_t i = 0; i < spatial; ++i) {
    const auto axis = static_cast<std::int64_t>(i) + 2;
    const auto before = padding.before[i] - both[i], after = padding.after[i] - both[i];
    output = output.narrow(axis, before, output.size(axis) - before - after);
  }
  return output;
}

/// The windows of a pool, and where they lie.
struct Windows {
  Integers kernel, stride, dilation;
  Padding padding;
  bool ceil;

  explicit Windows(const KernelCall& call)
      : kernel(call.attributes.integers("kernel")),
        stride(call.attributes.integers("stride")),
        dilation(call.attributes.has("dilation") ? list_or(call, "dilation", kernel.size(), 1)
                                                 : Integers(kernel.size(), 1)),
        padding(list_or(call, "padding", 2 * kernel.size(), 0)),
        ceil(call.attributes.boolean("ceil")) {}

  /// ATen's pools take symmetric padding of at most half the window; the graph's is any that is smaller than
  /// it.
  bool pad_by_themselves() const {
    if (!padding.symmetric()) return false;
    for (std::size_t i = 0; i < kernel.size(); ++i) {
      if (2 * padding.before[i] > kernel[i]) return false;
    }
    return true;
  }

  /// The padding with which the windows fit: as stated before the input, behind it as far as the last one
  /// reaches (a window may hang over the end where `ceil` says so).
  Padding fitting(const at::Tensor& input) const {
    Integers after;
    for (std::size_t i = 0; i < kernel.size(); ++i) {
      const auto extent = input.size(static_cast<std::int64_t>(i) + 2);
      const auto padded = padding.before[i] + extent + padding.after[i];
      const auto span = (kernel[i] - 1) * dilation[i] + 1;
      auto last = (padded - span) / stride[i];
      if (ceil && last * stride[i] + span < padded && (last + 1) * stride[i] < padding.before[i] + extent)
        ++last;
      after.push_back(std::max<std::int64_t>(0, last * stride[i] + span - padding.before[i] - extent));
    }
    Integers both = padding.before;
    both.insert(both.end(), after.begin(), after.end());
    return Padding(both);
  }
};

at::Tensor largest(const at::Tensor& input, const Windows& windows, const Integers& pad, bool ceil) {
  const auto& [kernel, stride, dilation, padding, unused] = windows;
  if (kernel.size() == 1) return at::max_pool1d(input, kernel, stride, pad, dilation, ceil);
  if (kernel.size() == 2) return at::max_pool2d(input, kernel, stride, pad, dilation, ceil);
  return at::max_pool3d(input, kernel, stride, pad, dilation, ceil);
}

at::Tensor max_pool(const KernelCall& call) {
  const Windows windows(call);
  if (windows.pad_by_themselves())
    return largest(call.inputs[0], windows, windows.padding.before, windows.ceil);
  const auto padded =
      windows.fitting(call.inputs[0]).apply(call.inputs[0], -std::numeric_limits<double>::infinity());
  return largest(padded, windows, Integers(windows.kernel.size(), 0), false);
}

at::Tensor means(const at::Tensor& input, const Windows& windows, const Integers& pad, bool ceil,
                 bool count_padding) {
  const auto& kernel = windows.kernel;
  const auto& stride = windows.stride;
  if (kernel.size() == 1) return at::avg_pool1d(input, kernel, stride, pad, ceil, count_padding);
  if (kernel.size() == 2) return at::avg_pool2d(input, kernel, stride, pad, ceil, count_padding);
  return at::avg_pool3d(input, kernel, stride, pad, ceil, count_padding);
}

at::Tensor avg_pool(const KernelCall& call) {
  const Windows windows(call);
  const bool count_padding = call.attributes.boolean("count_padding");
  if (windows.pad_by_themselves())
    return means(call.inputs[0], windows, windows.padding.before, windows.ceil, count_padding);
  // Mean over the padded window, divided by the share of the window that counts.
  const Integers nothing(windows.kernel.size(), 0);
  const auto fitting = windows.fitting(call.inputs[0]);
  const auto over = [&](const at::Tensor& input) { return means(input, windows, nothing, false, true); };
  auto counted = at::ones_like(call.inputs[0]);
  if (count_padding) {
    auto stated = windows.padding;
    for (std::size_t i = 0; i < stated.after.size(); ++i)
      stated.after[i] = std::min(stated.after[i], fitting.after[i]);
    auto hang = fitting;
    for (std::size_t i = 0; i < hang.after.size(); ++i) {
      hang.before[i] = 0;
      hang.after[i] -= stated.after[i];
    }
    counted = hang.apply(stated.apply(counted, 1), 0);
  } else {
    counted = fitting.apply(counted, 0);
  }
  return at::div(over(fitting.apply(call.inputs[0], 0)), over(counted));
}

Integers spatial_axes(const at::Tensor& input) {
  Integers axes(static_cast<std::size_t>(input.dim()) - 2);
  std::iota(axes.begin(), axes.end(), 2);
  return axes;
}

at::Tensor global_avg_pool(const KernelCall& call) {
  return at::mean(call.inputs[0], spatial_axes(call.inputs[0]), /*keepdim=*/true);
}

at::Tensor global_max_pool(const KernelCall& call) {
  return at::amax(call.inputs[0], spatial_axes(call.inputs[0]), /*keepdim=*/true);
}

at::Tensor adaptive_avg_pool(const KernelCall& call) {
  const auto& size = call.attributes.integers("size");
  if (size.size() == 1) return at::adaptive_avg_pool1d(call.inputs[0], size);
  if (size.size() == 2) return at::adaptive_avg_pool2d(call.inputs[0], size);
  return at::adaptive_avg_pool3d(call.inputs[0], size);
}

at::Tensor adaptive_max_pool(const KernelCall& call) {
  const auto& size = call.attributes.integers("size");
  if (size.size() == 1) return std::get<0>(at::adaptive_max_pool1d(call.inputs[0], size));
  if (size.size() == 2) return std::get<0>(at::adaptive_max_pool2d(call.inputs[0], size));
  return std::get<0>(at::adaptive_max_pool3d(call.inputs[0], size));
}

}  // namespace

Kernels window_kernels() {
  return {{"conv", conv},
          {"conv_transpose", conv_transpose},
          {"max_pool", max_pool},
          {"avg_pool", avg_pool},
          {"global_avg_pool", global_avg_pool},
          {"global_max_pool", global_max_pool},
          {"adaptive_avg_pool", adaptive_avg_pool},
          {"adaptive_max_pool", adaptive_max_pool}};
}

}  // namespace compress
