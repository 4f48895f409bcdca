#include "libcompress/import/onnx/compose.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "libcompress/base/checked.h"

namespace compress::onnx {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 30;

Integers list_of(const Call& call, const std::string& attribute, std::size_t size, std::int64_t fallback,
                 std::int64_t least) {
  const auto list = call.integers(attribute, Integers(size, fallback));
  if (list.size() != size)
    call.refuse(fmt::format("{} numbers in '{}'", list.size(), attribute), fmt::format("{}", size));
  for (const auto number : list) {
    if (number < least || number > kLargest)
      call.refuse(fmt::format("{} in '{}'", number, attribute), fmt::format("{} to 2^30", least));
  }
  return list;
}

/// Padding so that the output has ceil(input / stride) positions.
void pad_to_same(Window& window, const Shape& input, bool more_at_end) {
  for (std::size_t i = 0; i < window.kernel.size(); ++i) {
    const auto extent = input[i + 2], stride = window.stride[i];
    const auto outputs = (extent + stride - 1) / stride;
    const auto covered = (outputs - 1) * stride + (window.kernel[i] - 1) * window.dilation[i] + 1;
    const auto total = std::max<std::int64_t>(covered - extent, 0);
    window.begin[i] = more_at_end ? total / 2 : total - total / 2;
    window.end[i] = total - window.begin[i];
  }
}

}  // namespace

Integers Window::padding() const {
  Integers both = begin;
  both.insert(both.end(), end.begin(), end.end());
  return both;
}

Window window_of(const Call& call, const Shape& input, const Integers& kernel) {
  if (input.size() < 3)
    call.refuse("input of shape " + to_string(input), "a batch, channels and 1 to 3 more axes");
  const auto spatial = input.size() - 2;
  if (kernel.size() != spatial)
    call.refuse(fmt::format("a kernel of {} axes", kernel.size()), fmt::format("{}", spatial));
  for (const auto extent : kernel) {
    if (extent < 1 || extent > kLargest) call.refuse(fmt::format("a kernel of {}", extent), "1 or more");
  }
  Window window{kernel, list_of(call, "strides", spatial, 1, 1), list_of(call, "dilations", spatial, 1, 1),
                Integers(spatial, 0), Integers(spatial, 0)};
  for (std::size_t i = 0; i < spatial; ++i)
    checked_mul(window.kernel[i], 2 * window.dilation[i], call.where());
  const auto automatic = call.text("auto_pad", "NOTSET");
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    pad_to_same(window, input, automatic == "SAME_UPPER");
  } else if (automatic == "NOTSET" || automatic.empty()) {
    const auto pads = list_of(call, "pads", 2 * spatial, 0, 0);
    window.begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(spatial));
    window.end.assign(pads.begin() + static_cast<std::ptrdiff_t>(spatial), pads.end());
  } else if (automatic != "VALID") {
    call.refuse(fmt::format("auto_pad {}", in_quotes(automatic)), "NOTSET, VALID, SAME_UPPER, SAME_LOWER");
  }
  return window;
}

ValueId reshape(Call& call, ValueId value, const Shape& shape, const std::string& part) {
  if (call.skips(part, call.shape_of(value) == shape)) return value;
  if (checked_product(shape, call.where()) != element_count(call.shape_of(value)))
    call.refuse(fmt::format("a reshape of {} to {}", to_string(call.shape_of(value)), to_string(shape)),
                "as many elements");
  return call.emit("reshape", {value}, {{"shape", shape}, {"batch_axis", std::int64_t{-1}}}, part);
}

ValueId permute(Call& call, ValueId value, const Integers& order, const std::string& part) {
  if (order == iota(static_cast<std::int64_t>(order.size()))) return value;
  return call.emit("permute", {value}, {{"order", order}}, part);
}

ValueId slice(Call& call, ValueId value, std::int64_t axis, std::int64_t begin, std::int64_t end,
              std::int64_t step, const std::string& part) {
  const auto extent = call.shape_of(value)[static_cast<std::size_t>(axis)];
  if (begin >= end) call.refuse(fmt::format("nothing left of axis {}", axis), "at least one index");
  if (call.skips(part, begin == 0 && end == extent && step == 1)) return value;
  return call.emit("slice", {value}, {{"axis", axis}, {"begin", begin}, {"end", end}, {"step", step}}, part);
}

ValueId pad(Call& call, ValueId value, const Integers& padding, const std::string& mode, double number,
            const std::string& part) {
  const auto rank = call.shape_of(value).size();
  Integers grown(2 * rank, 0);
  for (std::size_t i = 0; i < rank; ++i) {
    const auto extent = call.shape_of(value)[i];
    const auto begin = padding[i], end = padding[rank + i];
    if (std::max(std::abs(begin), std::abs(end)) > kLargest) call.refuse("a padding beyond 2^30", "less");
    grown[i] = std::max<std::int64_t>(begin, 0);
    grown[rank + i] = std::max<std::int64_t>(end, 0);
    if (begin < 0 || end < 0)
      value = slice(call, value, static_cast<std::int64_t>(i), std::max<std::int64_t>(-begin, 0),
                    extent - std::max<std::int64_t>(-end, 0), 1, fmt::format("cut{}", i));
  }
  if (grown == Integers(2 * rank, 0)) return value;
  return call.emit("pad", {value}, {{"padding", grown}, {"mode", mode}, {"value", number}}, part);
}

ValueId with_number(Call& call, const std::string& op, ValueId value, double number,
                    const std::string& part) {
  return call.emit(op, {value, call.literal(op + "_number", scalar(static_cast<float>(number)))}, {}, part);
}

Integers iota(std::int64_t n) {
  Integers all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  std::int64_t count = 1;
  for (std::size_t i = begin; i < end; ++i) count *= shape[i];
  return count;
}

}  // namespace compress::onnx
