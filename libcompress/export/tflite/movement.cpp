// What moves numbers and computes none.
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
