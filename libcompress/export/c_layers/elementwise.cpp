// What works on every element alone, and softmax.
#include <fmt/format.h>

#include "libcompress/export/c_layers/layer_writer.h"

namespace compress {
namespace {

/// By any number of bits, 0 too, and never to the left.
bool shifts_right(const QAdd& add) {
  return add.left.shift <= 0 && add.right.shift <= 0 && add.output.shift <= 0;
}

}  // namespace

bool LayerWriter::repeats() const {
  return element_count(value(0).shape) != element_count(output().shape) ||
         element_count(value(1).shape) != element_count(output().shape);
}

std::string LayerWriter::spread() const {
  const auto& shape = output().shape;
  const auto left = broadcast_strides(value(0).shape, shape);
  const auto right = broadcast_strides(value(1).shape, shape);
  std::vector<std::int64_t> extents, left_steps, right_steps;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 1) continue;
    if (!extents.empty() && left_steps.back() == left[axis] * shape[axis] &&
        right_steps.back() == right[axis] * shape[axis]) {
      extents.back() *= shape[axis];
      left_steps.back() = left[axis], right_steps.back() = right[axis];
    } else {
      extents.push_back(shape[axis]);
      left_steps.push_back(left[axis]), right_steps.push_back(right[axis]);
    }
  }
  if (extents.size() > 4) refuse(fmt::format("operands over {} axes", extents.size()), "at most 4");
  return fmt::format(
      "  static const {} spread = {{\n      .extents = {}, .left_steps = {}, .right_steps = {},\n  }};\n",
      prefixed("spread"), braces(extents, 1), braces(left_steps, 0), braces(right_steps, 0));
}

std::string LayerWriter::lower(const QAdd& add) {
  const bool by_vectors = has_vectors() && !repeats() && shifts_right(add);
  network_.kernels.insert(repeats() ? "add_spread" : by_vectors ? "mve/add" : "add");
  title_ = (add.subtract ? "difference" : "sum") + clamp_note(add.clamp_min, add.clamp_max);
  const auto fields = number_fields({{"count", element_count(output().shape)},
                                     {"left_zero_point", value(0).zero_point},
                                     {"left_multiplier", add.left.multiplier},
                                     {"left_shift", add.left.shift},
                                     {"right_zero_point", value(1).zero_point},
                                     {"right_multiplier", add.right.multiplier},
                                     {"right_shift", add.right.shift},
                                     {"output_zero_point", output().zero_point},
                                     {"output_multiplier", add.output.multiplier},
                                     {"output_shift", add.output.shift},
                                     {"sign", add.subtract ? -1 : 1},
                                     {"headroom", add.left_shift},
                                     {"lowest", add.clamp_min},
                                     {"highest", add.clamp_max}});
  const auto text = settings(prefixed("add_layer"), fields);
  const auto left = operand(0), right = operand(1);
  const auto kernel = prefixed(by_vectors ? "vector_add" : "add");
  if (!repeats()) return text + fmt::format("  {}(&layer, {}, {}, output);\n", kernel, left, right);
  return text + spread() +
         fmt::format("  {}(&layer, &spread, {}, {}, output);\n", prefixed("add_spread"), left, right);
}

std::string LayerWriter::lower(const QMul& mul) {
  network_.kernels.insert("multiply");
  title_ = "product" + clamp_note(mul.clamp_min, mul.clamp_max);
  const auto fields = number_fields({{"left_zero_point", value(0).zero_point},
                                     {"right_zero_point", value(1).zero_point},
                                     {"output_zero_point", output().zero_point},
                                     {"multiplier", mul.requantization.multiplier},
                                     {"shift", mul.requantization.shift},
                                     {"lowest", mul.clamp_min},
                                     {"highest", mul.clamp_max}});
  const auto left = operand(0), right = operand(1);
  return settings(prefixed("multiply_layer"), fields) + spread() +
         fmt::format("  {}(&layer, &spread, {}, {}, output);\n", prefixed("multiply"), left, right);
}

std::string LayerWriter::lower(const QTable& table) {
  network_.kernels.insert("look_up");
  title_ = table.function;
  const auto levels = constant({"", "", table.levels, {}}, "levels", "for -128 .. 127");
  return fmt::format("  {}({}, {}, input, output);\n", prefixed("look_up"), element_count(output().shape),
                     levels);
}

std::string LayerWriter::lower(const QRequantize& op) {
  network_.kernels.insert("requantize_layer");
  title_ = "another scale" + clamp_note(op.clamp_min, op.clamp_max);
  const auto fields = number_fields({{"count", element_count(output().shape)},
                                     {"input_zero_point", value(0).zero_point},
                                     {"output_zero_point", output().zero_point},
                                     {"multiplier", op.requantization.multiplier},
                                     {"shift", op.requantization.shift},
                                     {"lowest", op.clamp_min},
                                     {"highest", op.clamp_max}});
  return settings(prefixed("requantize_layer"), fields) + call("requantize");
}

std::string LayerWriter::lower(const QSoftmax& softmax) {
  network_.kernels.insert("softmax");
  const auto width = output().shape.back();
  title_ = fmt::format("softmax over {}", width);
  const auto fields = number_fields({{"rows", element_count(output().shape) / width},
                                     {"width", width},
                                     {"multiplier", softmax.input.multiplier},
                                     {"shift", softmax.input.shift},
                                     {"lowest_difference", softmax.diff_min}});
  return settings(prefixed("softmax_layer"), fields) + call("softmax");
}

}  // namespace compress
