// What moves numbers and computes none.
#include <algorithm>

#include "libcompress/export/tflite/writer.h"

namespace compress {

void TfliteWriter::write(const QPad& pad) {
  std::vector<std::int32_t> amounts;
  for (std::size_t axis = 0; axis < pad.begin.size(); ++axis) {
    amounts.push_back(pad.begin[axis]);
    amounts.push_back(pad.end[axis]);
  }
  const auto list = integers(".padding", amounts, {static_cast<std::int64_t>(pad.begin.size()), 2});
  std::vector inputs{tensor(node_->inputs[0]), list};
  const bool zeros = pad.level == output().zero_point;
  if (!zeros) inputs.push_back(level(".filler", pad.level));
  add_operator(zeros ? "PAD" : "PADV2", version(2, 3), inputs, tensor(node_->output));
}

/// A negative index counts from the end, so an end before the first element is written as none.
void TfliteWriter::write(const QSlice& slice) {
  const auto rank = static_cast<std::int64_t>(slice.begin.size());
  std::vector<std::int32_t> sizes, ends;
  std::int32_t open_ends = 0;
  for (std::size_t axis = 0; axis < slice.begin.size(); ++axis) {
    sizes.push_back(static_cast<std::int32_t>(output().shape[axis]));
    ends.push_back(slice.begin[axis] + sizes.back() * slice.step[axis]);
    if (ends.back() < 0) open_ends |= 1 << axis;
  }
  const auto from = tensor(node_->inputs[0]), begin = integers(".begin", slice.begin, {rank});
  if (std::ranges::all_of(slice.step, [](std::int32_t step) { return step == 1; }))
    return add_operator("SLICE", version(2, 4), {from, begin, integers(".size", sizes, {rank})},
                        tensor(node_->output));
  add_operator("STRIDED_SLICE", version(2, 4),
               {from, begin, integers(".end", ends, {rank}), integers(".step", slice.step, {rank})},
               tensor(node_->output), Settings::strided_slice, [&] { set(1, open_ends); });
}

void TfliteWriter::write(const QResize& resize) {
  const std::vector<std::int32_t> size(output().shape.begin() + 1, output().shape.begin() + 3);
  add_operator("RESIZE_NEAREST_NEIGHBOR", version(2, 4),
               {tensor(node_->inputs[0]), integers(".size", size, {2})}, tensor(node_->output),
               Settings::resize_nearest, [&] {
                 set(0, static_cast<std::uint8_t>(resize.align_corners));
                 set(1, static_cast<std::uint8_t>(resize.half_pixel));
               });
}

void TfliteWriter::write(const QConcat& concat) {
  std::vector<std::int32_t> inputs;
  for (const auto id : node_->inputs) inputs.push_back(tensor(id));
  add_operator("CONCATENATION", version(2, 3), inputs, tensor(node_->output), Settings::concat, [&] {
    set(0, concat.axis);
    set(1, std::int8_t{0});
  });
}

void TfliteWriter::write(const QTranspose& transpose) {
  const auto order = integers(".order", transpose.order, {static_cast<std::int64_t>(transpose.order.size())});
  add_operator("TRANSPOSE", version(2, 4), {tensor(node_->inputs[0]), order}, tensor(node_->output));
}

void TfliteWriter::write(const QReshape&) {
  const std::vector<std::int32_t> extents(output().shape.begin(), output().shape.end());
  const auto shape = integers(".shape", extents, {static_cast<std::int64_t>(extents.size())});
  add_operator("RESHAPE", 1, {tensor(node_->inputs[0]), shape}, tensor(node_->output));
}

}  // namespace compress
