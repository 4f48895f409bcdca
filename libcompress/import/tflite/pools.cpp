#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "libcompress/base/checked.h"
#include "libcompress/import/tflite/operators.h"
#include "libcompress/import/tflite/window.h"

namespace compress::tflite {
namespace {

/// As the settings have it, without paddings.
Window stated_window(const Call& call, Integers size, std::optional<std::uint16_t> dilation) {
  const auto& options = call.options();
  Window window{std::move(size), stride_of(call)};
  if (dilation) {
    const auto width = *dilation, height = static_cast<std::uint16_t>(width + 1);
    window.dilation = {options.integer(height, 1), options.integer(width, 1)};
  }
  return window;
}

}  // namespace

Integers stride_of(const Call& call) {
  return {call.options().integer(kWindowStrideH), call.options().integer(kWindowStrideW)};
}

Window window_of(const Call& call, Integers size, std::optional<std::uint16_t> dilation_field) {
  auto window = stated_window(call, std::move(size), dilation_field);
  const auto padding = call.options().byte(kWindowPadding);
  const auto shape = call.shape(0);
  if (shape.size() != 4) call.refuse("input of shape " + to_string(shape), "[N, H, W, C]");
  if (padding != 0 && padding != 1) call.refuse(fmt::format("padding {}", padding), "SAME, VALID");
  for (std::size_t i = 0; i < 2; ++i) {
    const auto kernel = positive(call, window.kernel[i], "a kernel of");
    const auto stride = positive(call, window.stride[i], "a stride of");
    const auto dilation = positive(call, window.dilation[i], "a dilation of");
    checked_mul(kernel, 2 * dilation, call.where());
    if (padding == 1) continue;
    const auto extent = shape[i + 1], outputs = (extent + stride - 1) / stride;
    const auto covered = (outputs - 1) * stride + (kernel - 1) * dilation + 1;
    const auto total = std::max<std::int64_t>(covered - extent, 0);
    window.begin[i] = total / 2;
    window.end[i] = total - window.begin[i];
  }
  return window;
}

namespace {

void pool(const Call& call, const char* op) {
  constexpr std::uint16_t kWidth = 3, kHeight = 4, kActivation = 5;
  const auto& options = call.options();
  const auto window = window_of(call, {options.integer(kHeight), options.integer(kWidth)});
  const auto axes = channels_first(4);
  const auto result =
      call.emit(op, {call.ordered(0, axes)},
                {{"kernel", window.kernel}, {"stride", window.stride}, {"padding", window.padding()}});
  call.define_activated({result, axes}, options.byte(kActivation));
}

/// Padding does not count as elements of the mean, here as there.
void average_pool(const Call& call) { pool(call, "avg_pool"); }
void max_pool(const Call& call) { pool(call, "max_pool"); }

}  // namespace

std::vector<Operator> pool_operators() {
  return {{"AVERAGE_POOL_2D", average_pool}, {"MAX_POOL_2D", max_pool}};
}

}  // namespace compress::tflite
