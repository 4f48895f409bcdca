#include "libcompress/import/onnx/arguments.h"

#include <fmt/format.h>

#include <algorithm>

#include "libcompress/base/checked.h"
#include "libcompress/import/onnx/compose.h"

namespace compress::onnx {
namespace {

/// Axes counted from the front, sorted, each once.
Integers distinct_axes(const Call& call, Integers axes, std::int64_t rank) {
  for (auto& axis : axes) axis = call.axis(axis, rank);
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) call.refuse("an axis twice", "each once");
  return axes;
}

/// The first and the number of indices from `start` to before `end`, which may lie anywhere.
Range clamped(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t extent) {
  Range range{0, step, 0, extent};
  const auto from_front = [&](std::int64_t at) { return at < 0 ? at + extent : at; };
  if (step > 0) {
    range.begin = std::clamp<std::int64_t>(from_front(start), 0, extent);
    const auto last = std::clamp<std::int64_t>(from_front(end), 0, extent);
    if (last > range.begin) range.count = (last - range.begin - 1) / step + 1;
  } else {
    range.begin = std::clamp<std::int64_t>(from_front(start), -1, extent - 1);
    const auto last = std::clamp<std::int64_t>(from_front(end), -1, extent - 1);
    if (last < range.begin) range.count = (range.begin - last - 1) / -step + 1;
  }
  if (range.count == 1) range.step = 1;
  return range;
}

}  // namespace

Integers list_argument(const Call& call, const char* name, std::size_t i, std::int64_t opset) {
  if (call.opset() < opset) return call.integers(name);
  return call.has(i) ? call.integers(i) : Integers();
}

Shape target_shape(const Call& call) {
  const auto& from = call.shape(0);
  const bool zero_is_zero = call.integer("allowzero", 0) != 0;
  Shape shape = call.integers(1);
  std::int64_t open = -1, known = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && !zero_is_zero) {
      if (i >= from.size())
        call.refuse(fmt::format("a 0 as extent {}", i), "an axis of the input to copy it from");
      shape[i] = from[i];
    }
    if (shape[i] == -1) {
      if (open >= 0) call.refuse("a second -1 in the shape", "one");
      open = static_cast<std::int64_t>(i);
    } else if (shape[i] < 0) {
      call.refuse("shape " + to_string(shape), "extents, 0 and one -1");
    } else {
      known = checked_mul(known, shape[i], call.where());
    }
  }
  const auto count = element_count(from);
  if (open >= 0) {
    if (known == 0 || count % known != 0)
      call.refuse(fmt::format("shape {} for {} elements", to_string(shape), count), "a divisor of them");
    shape[static_cast<std::size_t>(open)] = count / known;
  } else if (known != count) {
    call.refuse(fmt::format("shape {} for {} elements", to_string(shape), count), "as many");
  }
  return shape;
}

Shape squeezed_shape(const Call& call) {
  const auto& from = call.shape(0);
  const auto axes = distinct_axes(call, list_argument(call, "axes", 1, 13), call.rank(0));
  const bool has_axes = call.opset() < 13 ? call.has_attribute("axes") : call.has(1);
  Shape shape;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const bool named = std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(i));
    if (named && from[i] != 1) call.refuse(fmt::format("axis {} of extent {}", i, from[i]), "extent 1");
    if (has_axes ? !named : from[i] != 1) shape.push_back(from[i]);
  }
  return shape;
}

Shape unsqueezed_shape(const Call& call) {
  auto axes = list_argument(call, "axes", 1, 13);
  const auto rank = call.rank(0) + static_cast<std::int64_t>(axes.size());
  axes = distinct_axes(call, std::move(axes), rank);
  Shape shape = call.shape(0);
  for (const auto axis : axes) shape.insert(shape.begin() + axis, 1);
  return shape;
}

Integers permutation(const Call& call) {
  auto reversed = iota(call.rank(0));
  std::reverse(reversed.begin(), reversed.end());
  const auto order = call.integers("perm", reversed);
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  if (sorted != iota(call.rank(0))) call.refuse("perm " + to_string(order), "each axis once");
  return order;
}

Integers paddings(const Call& call) {
  const auto rank = call.rank(0);
  const auto pads = list_argument(call, "pads", 1, 11);
  Integers axes = iota(rank);
  if (call.opset() >= 18 && call.has(3)) axes = call.integers(3);
  if (pads.size() != 2 * axes.size())
    call.refuse(fmt::format("{} pads for {} axes", pads.size(), axes.size()), "two an axis");
  Integers padding(static_cast<std::size_t>(2 * rank), 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = call.axis(axes[i], rank);
    padding[static_cast<std::size_t>(axis)] = pads[i];
    padding[static_cast<std::size_t>(rank + axis)] = pads[axes.size() + i];
  }
  return padding;
}

Integers split_extents(const Call& call, std::int64_t extent) {
  auto parts = list_argument(call, "split", 1, 13);
  if (parts.empty()) {
    const auto count = call.integer("num_outputs", static_cast<std::int64_t>(call.output_count()));
    if (count < 1 || count > static_cast<std::int64_t>(call.output_count()))
      call.refuse(fmt::format("{} parts", count), "one an output");
    const auto each = (extent + count - 1) / count;
    if (call.opset() < 18 && each * count != extent)
      call.refuse(fmt::format("{} parts of {} indices", count, extent), "a divisor");
    parts.assign(static_cast<std::size_t>(count), each);
    parts.back() = extent - each * (count - 1);
  }
  std::int64_t sum = 0;
  for (const auto part : parts) {
    if (part < 0 || part > extent) call.refuse("parts " + to_string(parts), "0 to the extent of the axis");
    sum = checked_add(sum, part, call.where());
  }
  if (sum != extent || parts.size() != call.output_count())
    call.refuse(
        fmt::format("parts {} of {} indices for {} outputs", to_string(parts), extent, call.output_count()),
        "one an output, and all indices");
  return parts;
}

Integers checked_indices(const Call& call, std::int64_t extent) {
  auto indices = call.integers(1);
  for (auto& index : indices) index = call.axis(index, extent);
  return indices;
}

Integers reduced_axes(const Call& call) {
  const bool is_input = call.opset() >= (call.node().op == "ReduceSum" ? 13 : 18);
  Integers axes;
  if (!is_input) axes = call.integers("axes");
  if (is_input && call.has(1)) axes = call.integers(1);
  const auto rank = call.rank(0);
  if (axes.empty()) return is_input && call.integer("noop_with_empty_axes", 0) != 0 ? axes : iota(rank);
  for (auto& axis : axes) axis = call.axis(axis, rank);
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) call.refuse("an axis twice", "each once");
  return axes;
}

std::vector<Range> slice_ranges(const Call& call) {
  const auto starts = list_argument(call, "starts", 1, 10), ends = list_argument(call, "ends", 2, 10);
  auto axes = list_argument(call, "axes", 3, 10);
  const auto steps = call.opset() >= 10 && call.has(4) ? call.integers(4) : Integers(starts.size(), 1);
  if (axes.empty()) axes = iota(static_cast<std::int64_t>(starts.size()));
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    call.refuse("lists of different lengths", "as many starts, ends, axes and steps");
  std::vector<Range> ranges;
  for (const auto extent : call.shape(0)) ranges.push_back({0, 1, extent, extent});
  std::vector<bool> seen(ranges.size());
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto axis = static_cast<std::size_t>(call.axis(axes[i], call.rank(0)));
    if (seen[axis]) call.refuse("an axis twice", "each once");
    seen[axis] = true;
    if (steps[i] == 0 || steps[i] == INT64_MIN) call.refuse(fmt::format("step {}", steps[i]), "another");
    ranges[axis] = clamped(starts[i], ends[i], steps[i], ranges[axis].extent);
  }
  return ranges;
}

}  // namespace compress::onnx
