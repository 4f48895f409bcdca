#include <fmt/format.h>

#include <algorithm>

#include "libcompress/graph/nearest.h"
#include "libcompress/quant/lower/operators.h"

namespace compress::lowering {
namespace {

Scale scale_of(const Lowering& to, QValueId id) { return {to.value(id).scale, to.value(id).zero_point}; }

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
  const auto scale = scale_of(to, x);
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

/// Evenly spaced elements of one axis.
void take(Lowering& to, const Node& node, std::int64_t begin, std::int64_t step) {
  const auto rank = to.rank(node.output);
  const auto taken = node.attributes.integer("axis");
  refuse_if(taken == 0, node, "a part of the batch", "an axis behind it");
  refuse_if(rank > 4, node, fmt::format("{} axes", rank), "at most 4");
  const auto x = to.canonical(node.inputs[0]);
  QSlice op;
  for (const int axis : canonical_order(rank)) {
    op.begin.push_back(axis == taken ? static_cast<std::int32_t>(begin) : 0);
    op.step.push_back(axis == taken ? static_cast<std::int32_t>(step) : 1);
  }
  to.add_result(node, std::move(op), {x}, node.output, scale_of(to, x));
}

void slice(Lowering& to, const Node& node) {
  // One element has no next one: its step, however large, says nothing.
  const auto axis = static_cast<std::size_t>(node.attributes.integer("axis"));
  const bool one = to.shape(node.output)[axis] == 1;
  take(to, node, node.attributes.integer("begin"), one ? 1 : node.attributes.integer("step"));
}

void gather(Lowering& to, const Node& node) {
  const auto& indices = node.attributes.integers("indices");
  const auto step = indices.size() > 1 ? indices[1] - indices[0] : 1;
  bool even = step != 0;
  for (std::size_t i = 1; i < indices.size(); ++i) even &= indices[i] - indices[i - 1] == step;
  refuse_if(!even, node, "indices " + to_string(indices), "evenly spaced ones");
  take(to, node, indices[0], step);
}

/// The form of TensorFlow Lite's operator that takes the same elements. For the rules of its own it computes
/// them in float32, which may be one beside where an element lies between two.
QResize resize_like(const Lowering& to, const Node& node) {
  const auto& coordinates = node.attributes.text("coordinates");
  const auto& rounding = node.attributes.text("rounding");
  if (coordinates == "asymmetric" && rounding == "floor") return {};
  if (coordinates == "align_corners" && rounding == "round_prefer_ceil") return {.align_corners = true};
  if (coordinates == "half_pixel" && rounding == "round_prefer_ceil") return {.half_pixel = true};
  const auto &from = to.shape(node.inputs[0]), &shape = to.shape(node.output);
  for (const auto form : {QResize{}, QResize{.align_corners = true}, QResize{.half_pixel = true}}) {
    bool same = true;
    for (std::size_t axis = 2; axis < from.size(); ++axis)
      same &= sources_of(form, from[axis], shape[axis]) ==
              nearest_elements(from[axis], shape[axis], coordinates, rounding);
    if (same) return form;
  }
  refuse(node, fmt::format("coordinates {} rounded by {}", coordinates, rounding),
         "elements that TensorFlow Lite takes too: asymmetric and floor, or half_pixel or align_corners and "
         "round_prefer_ceil",
         "keep the network in float32");
}

void resize(Lowering& to, const Node& node) {
  const auto& mode = node.attributes.text("mode");
  refuse_if(mode != "nearest", node, "resizing by " + mode, "nearest");
  const auto rank = to.rank(node.output);
  refuse_if(rank > 4, node, fmt::format("{} axes", rank), "at most 4");
  const auto op = resize_like(to, node);
  const auto x = to.canonical(node.inputs[0]);
  to.add_result(node, op, {x}, node.output, scale_of(to, x));
}

/// `from` under another shape, its axes then in another order.
QValueId turned(Lowering& to, const Node& node, QValueId from, const Shape& shape,
                std::vector<std::int32_t> order) {
  if (to.value(from).shape != shape)
    from = to.add_same_scale(node.name + "/split", QReshape{}, from, node.name + "/split", shape);
  Shape result;
  for (const auto axis : order) result.push_back(shape[static_cast<std::size_t>(axis)]);
  return to.add_same_scale(node.name + "/turn", QTranspose{std::move(order)}, from, node.name + "/turn",
                           result);
}

/// The last axis as `outer` by `inner`, these two exchanged.
QValueId channels_turned(Lowering& to, const Node& node, QValueId from, std::int64_t outer) {
  const auto& shape = to.value(from).shape;
  const auto inner = shape.back() / outer, pixels = element_count(shape) / shape.back();
  return turned(to, node, from, {1, pixels, outer, inner}, {0, 1, 3, 2});
}

void joined(Lowering& to, const Node& node, QValueId from) {
  to.add_result(node, QReshape{}, {from}, node.output, scale_of(to, from));
}

/// out[j * groups + i] = in[i * channels / groups + j].
void channel_shuffle(Lowering& to, const Node& node) {
  const auto x = to.canonical(node.inputs[0]);
  joined(to, node, channels_turned(to, node, x, node.attributes.integer("groups")));
}

/// Pixels of a block behind each other as channels, in both operators.
void depth_to_space(Lowering& to, const Node& node) {
  const auto block = node.attributes.integer("block");
  auto x = to.canonical(node.inputs[0]);
  const auto shape = to.value(x).shape;
  const auto channels = shape[3] / (block * block);
  if (node.attributes.text("order") == "crd") x = channels_turned(to, node, x, channels);
  joined(to, node, turned(to, node, x, {1, shape[1], shape[2], block, block * channels}, {0, 1, 3, 2, 4}));
}

void space_to_depth(Lowering& to, const Node& node) {
  const auto block = node.attributes.integer("block");
  auto x = to.canonical(node.inputs[0]);
  const auto shape = to.value(x).shape;
  x = turned(to, node, x, {1, shape[1] / block, block, shape[2] / block, block * shape[3]}, {0, 1, 3, 2, 4});
  if (node.attributes.text("order") == "crd") {
    const auto pixels = element_count(shape) / (block * block * shape[3]);
    x = turned(to, node, x, {1, pixels, block * block, shape[3]}, {0, 1, 3, 2});
  }
  joined(to, node, x);
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
          {"depth_to_space", depth_to_space},
          {"flatten", flatten},
          {"gather", gather},
          {"pad", pad},
          {"permute", permute},
          {"reshape", reshape},
          {"resize", resize},
          {"slice", slice},
          {"space_to_depth", space_to_depth}};
}

}  // namespace compress::lowering
