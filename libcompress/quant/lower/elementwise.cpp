#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "libcompress/quant/lower/operators.h"
#include "libcompress/quant/tables.h"

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

/// A function that has a table.
void add_table(Lowering& to, const Node& node, const std::string& function, float parameter = 0) {
  const auto x = to.canonical(node.inputs[0]);
  const auto fixed = table_output_scale(function);
  const auto scale = fixed ? Scale{fixed->scale, fixed->zero_point} : to.chosen_scale(node.output);
  QValue output;
  output.name = to.graph().value(node.output).name;
  output.scale = scale.scale, output.zero_point = scale.zero_point;
  auto levels = table_for(function, parameter, to.value(x), output, to.profile());
  to.add_result(node, QTable{function, parameter, std::move(levels)}, {x}, node.output, scale);
}

void function(Lowering& to, const Node& node) { add_table(to, node, node.op); }

void gelu(Lowering& to, const Node& node) {
  add_table(to, node, node.attributes.boolean("tanh") ? "gelu_tanh" : "gelu");
}

void elu(Lowering& to, const Node& node) {
  refuse_if(node.attributes.number("alpha") != 1, node, "another alpha", "1");
  add_table(to, node, "elu");
}

void leaky_relu(Lowering& to, const Node& node) {
  const auto slope = static_cast<float>(node.attributes.number("slope"));
  refuse_if(slope < 0, node, fmt::format("a slope of {}", slope), "0 or more");
  add_table(to, node, "leaky_relu", slope);
}

void hard_sigmoid(Lowering& to, const Node& node) {
  const double alpha = node.attributes.number("alpha"), beta = node.attributes.number("beta");
  refuse_if(std::abs(alpha - 1.0 / 6) > 1e-6 || beta != 0.5, node,
            fmt::format("alpha {} and beta {}", alpha, beta), "1/6 and 0.5");
  add_table(to, node, "hard_sigmoid");
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
  return {{"clip", clamp},
          {"dropout", nothing},
          {"elu", elu},
          {"gelu", gelu},
          {"hard_sigmoid", hard_sigmoid},
          {"hard_swish", function},
          {"identity", nothing},
          {"leaky_relu", leaky_relu},
          {"relu", clamp},
          {"relu6", clamp},
          {"sigmoid", function},
          {"silu", function},
          {"softmax", softmax},
          {"tanh", function}};
}

}  // namespace compress::lowering
