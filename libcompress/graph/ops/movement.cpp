#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "libcompress/base/checked.h"
#include "libcompress/graph/ops/couple.h"
#include "libcompress/graph/ops/rules.h"

namespace compress {
namespace {

using Integers = std::vector<std::int64_t>;

Shape permute_shape(const OpCall& call) {
  const auto& input = call.input(0);
  const auto& order = rules::expect_integers(call, "order", input.size(), 0);
  Integers sorted = order;
  std::sort(sorted.begin(), sorted.end());
  Integers all(input.size());
  std::iota(all.begin(), all.end(), 0);
  if (sorted != all) rules::bad_call(call, fmt::format("order {}", to_string(order)), "each axis once");
  Shape output;
  for (const auto axis : order) output.push_back(input[static_cast<std::size_t>(axis)]);
  return output;
}

/// [N, a, b, ...] -> [N, a * b * ...]
Shape flatten_shape(const OpCall& call) {
  rules::expect_rank_at_least(call, 0, 2);
  const auto& input = call.input(0);
  return {input[0], element_count({input.begin() + 1, input.end()})};
}

Shape concat_shape(const OpCall& call) {
  Shape output = call.input(0);
  const auto axis = rules::expect_axis(call, "axis", 0);
  const auto at = static_cast<std::size_t>(axis);
  for (std::size_t i = 1; i < call.inputs.size(); ++i) {
    Shape other = call.input(i);
    if (other.size() != output.size())
      rules::bad_call(call, fmt::format("input {} of shape {}", i, to_string(other)), "inputs of one rank");
    const auto extent = other[at];
    other[at] = output[at];
    if (other != output)
      rules::bad_call(call, fmt::format("input {} of shape {}", i, to_string(call.input(i))),
                      fmt::format("{} but for axis {}", to_string(output), axis));
    output[at] += extent;
  }
  return output;
}

Shape slice_shape(const OpCall& call) {
  Shape output = call.input(0);
  auto& extent = output[static_cast<std::size_t>(rules::expect_axis(call, "axis", 0))];
  const auto begin = call.attributes.integer("begin"), end = call.attributes.integer("end"),
             step = call.attributes.integer("step");
  if (begin < 0 || begin >= end || end > extent || step < 1)
    rules::bad_call(call, fmt::format("indices {} to {} by {}", begin, end, step),
                    fmt::format("a range within 0 to {}, by 1 or more", extent));
  extent = (end - begin + step - 1) / step;
  return output;
}

Shape gather_shape(const OpCall& call) {
  Shape output = call.input(0);
  auto& extent = output[static_cast<std::size_t>(rules::expect_axis(call, "axis", 0))];
  const auto& indices = call.attributes.integers("indices");
  for (const auto index : indices) {
    if (index < 0 || index >= extent)
      rules::bad_call(call, fmt::format("index {}", index), fmt::format("0 to {}", extent - 1));
  }
  if (indices.empty()) rules::bad_call(call, "no index", "at least one");
  extent = static_cast<std::int64_t>(indices.size());
  return output;
}

Shape pad_shape(const OpCall& call) {
  Shape output = call.input(0);
  const auto& padding = rules::expect_integers(call, "padding", 2 * output.size(), 0);
  const auto& mode = rules::expect_choice(call, "mode", {"constant", "reflect", "edge", "circular"});
  for (std::size_t axis = 0; axis < output.size(); ++axis) {
    const auto most = std::max(padding[axis], padding[output.size() + axis]);
    if ((mode == "reflect" && most >= output[axis]) || (mode == "circular" && most > output[axis]))
      rules::bad_call(call, fmt::format("{} of {} elements by {}", mode, output[axis], most),
                      "no more than there is to repeat");
    output[axis] += padding[axis] + padding[output.size() + axis];
  }
  return output;
}

Shape reshape_shape(const OpCall& call) {
  const auto& shape = call.attributes.integers("shape");
  for (const auto extent : shape) {
    if (extent < 1) rules::bad_call(call, "shape " + to_string(shape), "extents of 1 or more");
  }
  if (checked_product(shape, fmt::format("node '{}'", call.node_name)) != element_count(call.input(0)))
    rules::bad_call(call, fmt::format("{} as {}", to_string(call.input(0)), to_string(shape)),
                    "shapes of one size");
  const auto batch = call.attributes.integer("batch_axis");
  if (batch < -1 || batch >= static_cast<std::int64_t>(shape.size()))
    rules::bad_call(call, fmt::format("batch_axis {}", batch),
                    fmt::format("-1 to {}", static_cast<std::int64_t>(shape.size()) - 1));
  return shape;
}

Shape expand_shape(const OpCall& call) {
  const auto& shape = call.attributes.integers("shape");
  const std::vector<Shape> both = {call.input(0), shape};
  if (call.input(0).size() > shape.size() ||
      rules::broadcast_shape({call.node_name, call.attributes, both}) != shape)
    rules::bad_call(call, fmt::format("{} to {}", to_string(call.input(0)), to_string(shape)),
                    "a shape that it broadcasts to");
  return shape;
}

std::int64_t expect_block(const OpCall& call) {
  rules::expect_rank(call, 0, 4);
  rules::expect_choice(call, "order", {"crd", "dcr"});
  const auto block = call.attributes.integer("block");
  if (block < 1 || block > 1024) rules::bad_call(call, fmt::format("block {}", block), "1 to 1024");
  return block;
}

/// [N, C * b * b, H, W] -> [N, C, H * b, W * b]
Shape depth_to_space_shape(const OpCall& call) {
  const auto block = expect_block(call);
  const auto& input = call.input(0);
  if (input[1] % (block * block) != 0)
    rules::bad_call(call, fmt::format("{} channels", input[1]),
                    fmt::format("a multiple of {}", block * block));
  return {input[0], input[1] / (block * block), input[2] * block, input[3] * block};
}

Shape space_to_depth_shape(const OpCall& call) {
  const auto block = expect_block(call);
  const auto& input = call.input(0);
  if (input[2] % block != 0 || input[3] % block != 0)
    rules::bad_call(call, "an image of " + to_string(input),
                    fmt::format("extents that are multiples of {}", block));
  return {input[0], input[1] * block * block, input[2] / block, input[3] / block};
}

Shape channel_shuffle_shape(const OpCall& call) {
  rules::expect_rank_at_least(call, 0, 2);
  const auto groups = call.attributes.integer("groups");
  if (groups < 1 || call.input(0)[1] % groups != 0)
    rules::bad_call(call, fmt::format("{} groups of {} channels", groups, call.input(0)[1]), "a divisor");
  return call.input(0);
}

/// An operator that only moves elements.
Op movement(std::string name, std::string summary, std::string pruning, std::vector<AttributeSpec> attributes,
            Shape (*shape)(const OpCall&), void (*couple)(IdFlow&),
            Rewrite (*resize)(const Remains&) = nullptr) {
  Op op{std::move(name),       std::move(summary),
        std::move(pruning),    {{"input", ValueKind::activation}},
        std::move(attributes), shape,
        rules::free_of_charge, couple};
  if (resize) op.resize = resize;
  return op;
}

}  // namespace

std::vector<Op> movement_ops() {
  Op concat{"concat",
            "joins tensors along an axis",
            "along its axis each input's indices pass at their offset; along the others they are tied",
            {{"inputs", ValueKind::activation, false, true}},
            {{"axis", std::int64_t{1}, false, "the axis that grows"}},
            concat_shape,
            rules::free_of_charge,
            couple::concat};
  const std::string regroups =
      "a merged axis passes in blocks; a split one is tied so that it follows one new axis";
  Op flatten =
      movement("flatten", "all axes but the first become one", regroups, {}, flatten_shape, couple::reshape);
  flatten.in_place = true;
  Op reshape = movement("reshape", "the same elements in order under other axes", regroups,
                        {{"shape", Integers{}, true, "extents for the declared input"},
                         {"batch_axis", std::int64_t{0}, false,
                          "the axis that grows with the batch, -1 if the batch cannot be another one"}},
                        reshape_shape, couple::reshape, couple::resize_reshape);
  reshape.in_place = true;
  const std::string takes = "every axis passes; of the indices it takes at least one is kept";
  const AttributeSpec block = {"block", std::int64_t{2}, true, "pixels of a block along each axis"};
  const AttributeSpec order = {"order", std::string("crd"), false,
                               "crd: channel c * block * block + pixel; dcr: channel pixel * channels + c"};
  return {
      concat,
      flatten,
      reshape,
      movement("permute", "reorders the axes", "every axis passes to its place",
               {{"order", Integers{}, true, "for each output axis the input axis it comes from"}},
               permute_shape, couple::permute),
      movement("slice", "takes a range of an axis", takes,
               {{"axis", std::int64_t{1}, true, "the axis"},
                {"begin", std::int64_t{0}, true, "first index"},
                {"end", std::int64_t{1}, true, "index behind the last"},
                {"step", std::int64_t{1}, false, "distance of the indices taken"}},
               slice_shape, couple::slice, couple::resize_slice),
      movement("gather", "takes given indices of an axis, in any order, also more than once", takes,
               {{"axis", std::int64_t{1}, true, "the axis"}, {"indices", Integers{}, true, "what is taken"}},
               gather_shape, couple::gather, couple::resize_gather),
      movement(
          "pad", "adds elements before and behind axes",
          "every axis passes, and constants it adds may go too; other modes pin the axes they lengthen",
          {{"padding", Integers{}, true, "elements before each axis, then behind each"},
           {"mode", std::string("constant"), false,
            "constant: `value`; edge: the last element; reflect: mirrored without it; circular: from the "
            "other end"},
           {"value", 0.0, false, "of constant padding"}},
          pad_shape, couple::pad, couple::resize_pad),
      movement("expand", "repeats axes of extent 1",
               "pins what it repeats and makes indices there that may go; the other axes pass",
               {{"shape", Integers{}, true, "extents for the declared input"}}, expand_shape, couple::expand,
               couple::resize_expand),
      movement("depth_to_space", "blocks of pixels from channels (pixel shuffle)",
               "ties the channels of one block; pins rows and columns", {block, order}, depth_to_space_shape,
               couple::depth_to_space),
      movement("space_to_depth", "channels from blocks of pixels (pixel unshuffle)",
               "ties the channels made of one; pins rows and columns", {block, order}, space_to_depth_shape,
               couple::space_to_depth),
      movement("channel_shuffle", "interleaves groups of channels (axis 1)",
               "every axis passes, channels to their places; unequal groups become a gather",
               {{"groups", std::int64_t{1}, true, "groups of channels"}}, channel_shuffle_shape,
               couple::channel_shuffle, couple::resize_channel_shuffle),
  };
}

}  // namespace compress
