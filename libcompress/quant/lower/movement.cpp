#include <fmt/format.h>

#include <algorithm>

#include "libcompress/quant/lower/operators.h"

namespace compress::lowering {
namespace {

void concat(Lowering& to, const Node& node) {
  refuse_if(node.attributes.integer("axis") == 0, node, "axis 0", "an axis behind the batch");
  const auto axes = canonical_order(to.rank(node.output));
  const auto scale = to.chosen_scale(node.output);
  QConcat op;
  const auto axis = static_cast<int>(node.attributes.integer("axis"));
  op.axis = static_cast<std::int32_t>(std::find(axes.begin(), axes.end(), axis) - axes.begin());
  std::vector<QValueId> inputs;
  for (const auto id : node.inputs) inputs.push_back(to.with_scale(node, to.canonical(id), scale));
  to.add_result(node, op, std::move(inputs), node.output, scale);
}

/// Of zeros: every scale has an exact one. Other numbers need a range that holds them, that of the result.
void pad(Lowering& to, const Node& node) {
  refuse_if(node.attributes.text("mode") != "constant", node, "padding by " + node.attributes.text("mode"),
            "constant padding");
  const auto& padding = node.attributes.integers("padding");
  const auto rank = to.rank(node.output), axes = padding.size() / 2;
  refuse_if(padding[0] != 0 || padding[axes] != 0, node, "a padded batch", "axes behind the batch");
  const auto number = static_cast<float>(node.attributes.number("value"));
  auto x = to.canonical(node.inputs[0]);
  if (number != 0) x = to.with_scale(node, x, to.chosen_scale(node.output));
  const Scale scale{to.value(x).scale, to.value(x).zero_point};
  QPad op;
  for (const int axis : canonical_order(rank)) {
    const auto at = static_cast<std::size_t>(std::max(axis, 0));
    op.begin.push_back(axis == kAdded ? 0 : static_cast<std::int32_t>(padding[at]));
    op.end.push_back(axis == kAdded ? 0 : static_cast<std::int32_t>(padding[axes + at]));
  }
  refuse_if(op.begin.size() > 4, node, fmt::format("{} axes", rank), "at most 4");
  op.level = clamp_level(to.value(x), number);
  to.add_result(node, std::move(op), {x}, node.output, scale);
}

/// Costs nothing here: the same bytes under another order of axes, moved when somebody needs them
/// otherwise.
void permute(Lowering& to, const Node& node) {
  const auto& order = node.attributes.integers("order");
  refuse_if(order[0] != 0, node, "a batch that moves", "the batch first");
  auto moved = to.first_form(node.inputs[0]);
  for (auto& axis : moved.axes) {
    if (axis != kAdded) axis = static_cast<int>(std::find(order.begin(), order.end(), axis) - order.begin());
  }
  to.set_form(node.output, moved);
}

/// To any shape of as many elements, in the order that PyTorch has.
void reshape(Lowering& to, const Node& node) {
  const auto& shape = to.shape(node.output);
  refuse_if(shape[0] != 1, node, "a batch that moves", "the batch first");
  const auto axes = natural_order(shape.size());
  const auto x = to.natural(node.inputs[0]);
  const auto y = to.value(x).shape == shape
                     ? x
                     : to.add_same_scale(node.name, QReshape{}, x, to.name_in(node.output, axes), shape);
  to.set_form(node.output, {y, axes});
}

/// out[j * groups + i] = in[i * channels / groups + j]: the two axes that channels are made of change places.
void channel_shuffle(Lowering& to, const Node& node) {
  const auto rank = to.rank(node.output);
  refuse_if(rank != 3 && rank != 4, node, fmt::format("{} axes", rank), "images and sequences");
  const auto x = to.canonical(node.inputs[0]);
  const auto shape = to.value(x).shape;
  const auto groups = node.attributes.integer("groups"), in_a_group = shape[3] / groups;
  const auto name = to.graph().value(node.output).name;
  const auto pixels = shape[1] * shape[2];
  const auto apart = to.add_same_scale(node.name + "/apart", QReshape{}, x, name + "/apart",
                                       {1, pixels, groups, in_a_group});
  const auto turned = to.add_same_scale(node.name, QTranspose{{0, 1, 3, 2}}, apart, name + "/turned",
                                        {1, pixels, in_a_group, groups});
  const auto y = to.add_same_scale(node.name + "/joined", QReshape{}, turned, name, shape);
  to.set_form(node.output, {y, canonical_order(rank)});
}

void add_flat(Lowering& to, const Node& node, QValueId from, const std::string& name) {
  const auto& shape = to.shape(node.output);
  const auto id =
      to.value(from).shape == shape ? from : to.add_same_scale(node.name, QReshape{}, from, name, shape);
  to.set_form(node.output, {id, natural_order(2)});
}

bool only_linear_reads(const Graph& graph, ValueId id) {
  return read_once(graph, id) && graph.node(graph.consumers(id)[0]).op == "linear";
}

void flatten(Lowering& to, const Node& node) {
  const auto input = node.inputs[0];
  const auto from = to.first_form(input);
  if (!reorders(to.value(from.id).shape, moves(from.axes, natural_order(to.rank(input))))) {
    add_flat(to, node, from.id, to.graph().value(node.output).name);
  } else if (only_linear_reads(to.graph(), node.output)) {
    to.set_columns(node.output, natural_positions(to.shape(input), from.axes));
    add_flat(to, node, from.id, to.graph().value(node.output).name + "/moved");
  } else {
    add_flat(to, node, to.natural(input), to.graph().value(node.output).name);
  }
}

}  // namespace

std::vector<Operator> movement_operators() {
  return {{"channel_shuffle", channel_shuffle},
          {"concat", concat},
          {"flatten", flatten},
          {"pad", pad},
          {"permute", permute},
          {"reshape", reshape}};
}

}  // namespace compress::lowering
