#include "libcompress/quant/lower/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "libcompress/quant/lower/lowering.h"

namespace compress::lowering {

AxisOrder natural_order(std::size_t rank) {
  AxisOrder order(rank);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

AxisOrder canonical_order(std::size_t rank) {
  if (rank == 4) return {0, 2, 3, 1};
  if (rank == 3) return {0, kAdded, 2, 1};
  return natural_order(rank);
}

std::vector<std::int32_t> moves(const AxisOrder& from, const AxisOrder& to) {
  std::vector<std::int32_t> order = {0};
  for (std::size_t i = 1; i < from.size(); ++i) {
    if (from[i] == kAdded) order.push_back(static_cast<std::int32_t>(i));
  }
  for (const int axis : to) {
    if (axis <= 0) continue;
    order.push_back(static_cast<std::int32_t>(std::find(from.begin(), from.end(), axis) - from.begin()));
  }
  return order;
}

bool reorders(const Shape& shape, const std::vector<std::int32_t>& order) {
  std::int32_t last = -1;
  for (const auto axis : order) {
    if (shape[static_cast<std::size_t>(axis)] == 1) continue;
    if (axis < last) return true;
    last = axis;
  }
  return false;
}

std::vector<std::size_t> natural_positions(const Shape& shape, const AxisOrder& axes) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  std::vector<std::size_t> positions = {0};
  for (const int axis : axes) {
    if (axis == kAdded) continue;
    std::vector<std::size_t> next;
    for (const auto position : positions) {
      for (std::int64_t i = 0; i < shape[static_cast<std::size_t>(axis)]; ++i)
        next.push_back(position + static_cast<std::size_t>(i * strides[static_cast<std::size_t>(axis)]));
    }
    positions = std::move(next);
  }
  return positions;
}

std::array<std::int32_t, 2> along_image(std::span<const std::int64_t> entries, std::int32_t absent) {
  if (entries.empty()) return {absent, absent};
  const auto narrow = [](std::int64_t x) {
    return static_cast<std::int32_t>(std::min<std::int64_t>(x, INT32_MAX));
  };
  if (entries.size() == 1) return {absent, narrow(entries[0])};
  return {narrow(entries[0]), narrow(entries[1])};
}

Window window_of(const Node& node, std::span<const std::int64_t> kernel) {
  if (kernel.size() > 2)
    refuse(node, fmt::format("a window over {} axes", kernel.size()), "one or two",
           "keep the network in float32");
  Window window;
  const auto fill = [&](std::int32_t (&to)[2], std::span<const std::int64_t> from, std::int32_t absent) {
    const auto entries = along_image(from, absent);
    std::copy(entries.begin(), entries.end(), to);
  };
  const std::span<const std::int64_t> padding = node.attributes.integers("padding");
  fill(window.kernel, kernel, 1);
  fill(window.stride, node.attributes.integers("stride"), 1);
  fill(window.pad_begin, padding.first(padding.size() / 2), 0);
  fill(window.pad_end, padding.subspan(padding.size() / 2), 0);
  if (node.attributes.has("dilation")) fill(window.dilation, node.attributes.integers("dilation"), 1);
  return window;
}

}  // namespace compress::lowering
