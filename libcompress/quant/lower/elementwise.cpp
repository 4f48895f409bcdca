#include <fmt/format.h>

#include <algorithm>

#include "libcompress/quant/lower/operators.h"

namespace compress::lowering {
namespace {

/// A relu or clip behind something that does not clamp.
void clamp(Lowering& to, const Node& node) {
  const auto x = to.canonical(node.inputs[0]);
  const auto scale = to.chosen_scale(node.output);
  auto op = requantize_to(node, to.value(x), scale);
  const auto levels = to.levels_of(node, scale);
  op.clamp_min = levels.low, op.clamp_max = levels.high;
  to.add_result(node, op, {x}, node.output, scale);
}

void add(Lowering& to, const Node& node) {
  refuse_if(to.shape(node.inputs[0]) != to.shape(node.inputs[1]), node, "shapes that broadcast",
            "two equal shapes");
  const auto left = to.canonical(node.inputs[0]);
  const auto right = to.canonical(node.inputs[1]);
  const auto result = to.result_of(node);
  const auto scale = to.chosen_scale(result);
  QValue output;
  output.scale = scale.scale;
  auto op = add_for(to.value(left), to.value(right), output);
  to.join_clamp(node, op, scale);
  to.add_result(node, op, {left, right}, result, scale);
}

void softmax(Lowering& to, const Node& node) {
  refuse_if(node.attributes.integer("axis") == 0, node, "axis 0", "an axis behind the batch");
  const auto axis = static_cast<int>(node.attributes.integer("axis"));
  auto axes = canonical_order(to.rank(node.output));
  if (axes.back() != axis) {
    axes = natural_order(to.rank(node.output));
    axes.erase(axes.begin() + axis);
    axes.push_back(axis);
  }
  const auto x = to.form(node.inputs[0], axes);
  const auto y =
      to.add_activation(to.name_in(node.output, axes), to.shape_in(node.output, axes), {1.0f / 256, -128});
  to.set_form(node.output, {to.add_node(node.name, softmax_for(to.value(x)), {x}, y), axes});
}

void nothing(Lowering& to, const Node& node) { to.share_forms(node.inputs[0], node.output); }

}  // namespace

std::vector<Operator> elementwise_operators() {
  return {{"add", add},    {"clip", clamp},  {"dropout", nothing},
          {"relu", clamp}, {"relu6", clamp}, {"softmax", softmax}};
}

}  // namespace compress::lowering
