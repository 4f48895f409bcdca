#include <algorithm>

#include "libcompress/graph/ops/couple.h"
#include "libcompress/graph/ops/rules.h"

namespace compress {
namespace {

using Integers = std::vector<std::int64_t>;

/// With `ceil` the last window may hang over the end, as long as it starts inside the input or the padding
/// before it.
std::int64_t pooled_extent(const OpCall& call, std::int64_t extent, std::int64_t kernel, std::int64_t stride,
                           std::int64_t pad_begin, std::int64_t pad_end, std::int64_t dilation) {
  auto pooled = rules::window_extent(call, extent, kernel, stride, pad_begin, pad_end, dilation);
  if (!call.attributes.boolean("ceil")) return pooled;
  const auto covered = (pooled - 1) * stride + (kernel - 1) * dilation + 1;
  if (covered < extent + pad_begin + pad_end && pooled * stride < extent + pad_begin) ++pooled;
  return pooled;
}

/// [N, C, spatial...] -> [N, C, spatial...]
Shape pool_shape(const OpCall& call) {
  rules::expect_rank_at_least(call, 0, 3);
  const auto& input = call.input(0);
  const std::size_t spatial = input.size() - 2;
  const auto& kernel = rules::expect_integers(call, "kernel", spatial, 1);
  const auto& stride = rules::expect_integers(call, "stride", spatial, 1);
  const auto padding = rules::integers_or(call, "padding", 2 * spatial, 0, 0);
  const auto dilation = call.attributes.has("dilation") ? rules::integers_or(call, "dilation", spatial, 1, 1)
                                                        : Integers(spatial, 1);
  Shape output{input[0], input[1]};
  for (std::size_t i = 0; i < spatial; ++i) {
    const auto span = (kernel[i] - 1) * dilation[i] + 1;
    if (padding[i] >= span || padding[spatial + i] >= span)
      rules::bad_call(call, "a padding as large as the window", "padding smaller than the kernel");
    output.push_back(pooled_extent(call, input[i + 2], kernel[i], stride[i], padding[i], padding[spatial + i],
                                   dilation[i]));
  }
  return output;
}

Cost pool_cost(const OpCall& call, const Shape& output) {
  return {0, element_count(output) * element_count(call.attributes.integers("kernel"))};
}

void couple_pool(IdFlow& flow) {
  for (const auto& layer : flow.layers(0)) {
    if (layer.axis < 2) flow.emit(layer);
  }
  const auto& attributes = flow.node().attributes;
  const auto& kernel = attributes.integers("kernel");
  std::vector<bool> unit;
  for (std::size_t i = 0; i < kernel.size(); ++i)
    unit.push_back(kernel[i] == 1 && attributes.integers("stride")[i] == 1);
  couple::slide_over_spatial_axes(flow, unit);
}

/// A window that covered its whole extent still does; another shrinks no further than the extent that is
/// left.
Rewrite resize_pool(const std::string& op, const Remains& left) {
  const auto& before = left.before();
  Rewrite rewrite{op, before.attributes};
  Integers kernel = before.attributes.integers("kernel");
  Integers stride = before.attributes.integers("stride");
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    const auto old_extent = before.input(0)[i + 2];
    const auto extent = left.input(0)[i + 2];
    if (extent == old_extent) continue;
    const auto old_kernel = kernel[i];
    kernel[i] = old_kernel == old_extent ? extent : std::max<std::int64_t>(1, std::min(old_kernel, extent));
    if (stride[i] == old_kernel) stride[i] = kernel[i];
  }
  rewrite.attributes.set("kernel", kernel);
  rewrite.attributes.set("stride", stride);
  return rewrite;
}

Shape global_pool_shape(const OpCall& call) {
  rules::expect_rank_at_least(call, 0, 3);
  Shape output = call.input(0);
  std::fill(output.begin() + 2, output.end(), 1);
  return output;
}

Cost global_pool_cost(const OpCall& call, const Shape&) { return {0, element_count(call.input(0))}; }

Shape adaptive_shape(const OpCall& call) {
  rules::expect_rank_at_least(call, 0, 3);
  const auto& input = call.input(0);
  const auto& size = rules::expect_integers(call, "size", input.size() - 2, 1);
  Shape output{input[0], input[1]};
  output.insert(output.end(), size.begin(), size.end());
  return output;
}

Op windowed(std::string name, std::string summary, AttributeSpec own) {
  return {name,
          std::move(summary),
          "channels pass; rows and columns are spatial unless window and step are 1",
          {{"input", ValueKind::activation}},
          {{"kernel", Integers{}, true, "extent of the window along each spatial axis"},
           {"stride", Integers{}, true, "step of the window along each spatial axis"},
           {"padding", Integers{0, 0, 0, 0}, false, "elements before each spatial axis, then after each"},
           {"ceil", false, false, "whether a last window may hang over the end"},
           std::move(own)},
          pool_shape,
          pool_cost,
          couple_pool,
          [name](const Remains& left) { return resize_pool(name, left); }};
}

constexpr const char* kChannelsPass = "channels pass; rows and columns are spatial";

Op global(std::string name, std::string summary) {
  return {std::move(name),   std::move(summary), kChannelsPass,      {{"input", ValueKind::activation}}, {},
          global_pool_shape, global_pool_cost,   couple::global_pool};
}

Op adaptive(std::string name, std::string summary) {
  return {std::move(name),
          std::move(summary),
          kChannelsPass,
          {{"input", ValueKind::activation}},
          {{"size", Integers{}, true, "extents of the spatial axes afterwards"}},
          adaptive_shape,
          global_pool_cost,
          couple::global_pool};
}

}  // namespace

std::vector<Op> pooling_ops() {
  return {
      windowed("max_pool", "largest element of each window",
               {"dilation", Integers{}, false, "distance of the window's elements; 1 where empty"}),
      windowed("avg_pool", "mean of each window",
               {"count_padding", false, false, "whether padding counts as elements of the window"}),
      global("global_avg_pool", "mean over all spatial axes, which become 1"),
      global("global_max_pool", "largest element over all spatial axes, which become 1"),
      adaptive("adaptive_avg_pool", "mean of windows that divide the spatial axes into a given number"),
      adaptive("adaptive_max_pool",
               "largest element of windows that divide the spatial axes into a given number"),
  };
}

}  // namespace compress
