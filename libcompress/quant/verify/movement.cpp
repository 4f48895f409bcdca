// What moves numbers and computes none.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "libcompress/quant/verify/verifier.h"

namespace compress {

void QuantizedVerifier::check(const QPad& pad) const {
  const auto& from = input(0).shape;
  constexpr std::int32_t kMost = 1 << 20;
  expect(from.size() <= 4 && pad.begin.size() == from.size() && pad.end.size() == from.size(),
         fmt::format("{} and {} paddings for shape {}", pad.begin.size(), pad.end.size(), to_string(from)),
         "two for each of at most 4 axes");
  Shape shape;
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    for (const auto extent : {pad.begin[axis], pad.end[axis]})
      expect(extent >= 0 && extent <= (axis == 0 ? 0 : kMost), fmt::format("{} along axis {}", extent, axis),
             "0 to 2^20, 0 along the batch");
    shape.push_back(from[axis] + pad.begin[axis] + pad.end[axis]);
  }
  expect_shape(shape);
  expect_same_scale(input(0));
  const auto [lowest, highest] = levels_of(output().dtype);
  expect(pad.level >= lowest && pad.level <= highest, fmt::format("level {}", pad.level),
         fmt::format("{} to {}", lowest, highest));
}

void QuantizedVerifier::check(const QSlice& slice) const {
  const auto &from = input(0).shape, &to = output().shape;
  expect(from.size() <= 4 && to.size() == from.size() && slice.begin.size() == from.size() &&
             slice.step.size() == from.size(),
         fmt::format("{} begins and {} steps for shape {}", slice.begin.size(), slice.step.size(),
                     to_string(from)),
         "one of each for each of at most 4 axes");
  expect(slice.begin[0] == 0 && slice.step[0] == 1 && to[0] == from[0], "a part of the batch", "all of it");
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    const std::int64_t first = slice.begin[axis], step = slice.step[axis];
    const auto inside = [&](std::int64_t index) { return index >= 0 && index < from[axis]; };
    expect(step != 0 && inside(first) && inside(first + (to[axis] - 1) * step),
           fmt::format("{} elements of axis {} from {} by {}", to[axis], axis, first, step),
           fmt::format("elements 0 to {}", from[axis] - 1));
  }
  expect_same_scale(input(0));
}

void QuantizedVerifier::check(const QResize& resize) const {
  expect_image(input(0));
  expect_image(output());
  const auto &from = input(0).shape, &to = output().shape;
  constexpr std::int64_t kMost = 1 << 20;  // float32 still tells the places apart
  for (const auto extent : {from[1], from[2], to[1], to[2]})
    expect(extent <= kMost, fmt::format("{} rows or columns", extent), "2^20 at most");
  expect_shape({from[0], to[1], to[2], from[3]});
  expect(!resize.align_corners || !resize.half_pixel, "aligned corners and half pixels", "one of them");
  expect_same_scale(input(0));
}

void QuantizedVerifier::check(const QConcat& concat) const {
  Shape shape = input(0).shape;
  expect(concat.axis >= 1 && concat.axis < static_cast<std::int32_t>(shape.size()),
         fmt::format("axis {}", concat.axis), fmt::format("1 to {}", shape.size() - 1));
  const auto axis = static_cast<std::size_t>(concat.axis);
  shape[axis] = 0;
  for (std::size_t i = 0; i < node_->inputs.size(); ++i) {
    Shape other = input(i).shape;
    expect_same_scale(input(i));
    expect(other.size() == shape.size(), "inputs of different rank", "one rank");
    const auto extent = other[axis];
    other[axis] = shape[axis];
    expect(other == shape, fmt::format("input {} of shape {}", i, to_string(input(i).shape)),
           "the others' but for the axis");
    shape[axis] += extent;
  }
  expect_shape(shape);
}

void QuantizedVerifier::check(const QTranspose& transpose) const {
  auto sorted = transpose.order;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::int32_t> all(input(0).shape.size());
  std::iota(all.begin(), all.end(), 0);
  expect(sorted == all && transpose.order[0] == 0,
         fmt::format("order [{}]", fmt::join(transpose.order, ", ")), "each axis once, the batch first");
  Shape shape;
  for (const auto axis : transpose.order) shape.push_back(input(0).shape[static_cast<std::size_t>(axis)]);
  expect_shape(shape);
  expect_same_scale(input(0));
}

void QuantizedVerifier::check(const QReshape&) const {
  expect(element_count(input(0).shape) == element_count(output().shape),
         fmt::format("{} to {}", to_string(input(0).shape), to_string(output().shape)), "as many elements");
  expect_same_scale(input(0));
}

}  // namespace compress
