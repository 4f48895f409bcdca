#include <fmt/format.h>

#include <algorithm>
#include <numeric>

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
  if (sorted != all || order[0] != 0)
    rules::bad_call(call, fmt::format("order {}", to_string(order)), "each axis once, the batch first");
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
  const auto axis = call.attributes.integer("axis");
  if (axis < 1 || axis >= static_cast<std::int64_t>(output.size()))
    rules::bad_call(call, fmt::format("axis {}", axis), fmt::format("1 to {}", output.size() - 1));
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

void couple_permute(IdFlow& flow) {
  for (auto layer : flow.layers(0)) {
    const auto strides = layer.strides;
    layer.shape = flow.output_shape();
    for (std::size_t i = 0; i < strides.size(); ++i)
      layer.strides[i] = strides[static_cast<std::size_t>(flow.node().attributes.integers("order")[i])];
    flow.emit(std::move(layer));
  }
}

/// Index c of an axis becomes the blocks of flat positions whose element lies in c.
void couple_flatten(IdFlow& flow) {
  const auto& input = flow.input_shape(0);
  const auto size = flow.output_shape()[1];
  for (const auto& layer : flow.layers(0)) {
    const int axis = layer.varying_axis();
    if (axis < 1) {
      flow.pin(layer, fmt::format("node '{}' mixes it into one axis", flow.node().name));
      continue;
    }
    const auto cells = layer.along(axis);
    const auto inner = element_count({input.begin() + axis + 1, input.end()});
    std::vector<CellId> flat;
    flat.reserve(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i)
      flat.push_back(cells[static_cast<std::size_t>(i / inner) % cells.size()]);
    rules::emit_along(flow, 1, std::move(flat));
  }
}

/// The layers of `layers` along `axis`, in order.
std::vector<const IdLayer*> all_along(const IdLayers& layers, int axis) {
  std::vector<const IdLayer*> found;
  for (const auto& layer : layers) {
    if (layer.varying_axis() == axis) found.push_back(&layer);
  }
  return found;
}

/// Along the joined axis ids line up behind each other, kNoCell where an input is dense.
void couple_joined_axis(IdFlow& flow, int axis) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < flow.input_count(); ++i)
    depth = std::max(depth, all_along(flow.layers(i), axis).size());
  for (std::size_t level = 0; level < depth; ++level) {
    std::vector<CellId> joined;
    for (std::size_t i = 0; i < flow.input_count(); ++i) {
      const auto layers = all_along(flow.layers(i), axis);
      const auto extent = static_cast<std::size_t>(flow.input_shape(i)[static_cast<std::size_t>(axis)]);
      const auto cells =
          level < layers.size() ? layers[level]->along(axis) : std::vector<CellId>(extent, kNoCell);
      joined.insert(joined.end(), cells.begin(), cells.end());
    }
    rules::emit_along(flow, axis, std::move(joined));
  }
}

/// Along any other axis the inputs must keep one extent, so what lies side by side is tied.
void couple_side_by_side(IdFlow& flow, int axis) {
  std::size_t common = all_along(flow.layers(0), axis).size();
  for (std::size_t i = 1; i < flow.input_count(); ++i)
    common = std::min(common, all_along(flow.layers(i), axis).size());
  for (std::size_t i = 0; i < flow.input_count(); ++i) {
    const auto layers = all_along(flow.layers(i), axis);
    for (std::size_t level = 0; level < layers.size(); ++level) {
      if (level < common) {
        rules::tie_all(flow, all_along(flow.layers(0), axis)[level]->along(axis), layers[level]->along(axis));
      } else {
        flow.pin(*layers[level],
                 fmt::format("node '{}' joins it with something that cannot shrink", flow.node().name));
      }
    }
  }
  for (std::size_t level = 0; level < common; ++level)
    rules::emit_along(flow, axis, all_along(flow.layers(0), axis)[level]->along(axis));
}

void couple_concat(IdFlow& flow) {
  const auto joined = static_cast<int>(flow.node().attributes.integer("axis"));
  for (int axis = 1; axis < static_cast<int>(flow.output_shape().size()); ++axis) {
    if (axis == joined) {
      couple_joined_axis(flow, axis);
    } else {
      couple_side_by_side(flow, axis);
    }
  }
}

}  // namespace

std::vector<Op> movement_ops() {
  const std::vector<OperandSpec> one = {{"input", ValueKind::activation}};
  Op permute{"permute",
             "reorders the axes",
             one,
             {{"order", Integers{}, true,
               "for each output axis the input axis it comes from; the batch stays first"}},
             permute_shape,
             rules::free_of_charge,
             couple_permute};
  Op flatten{"flatten",
             "all axes but the batch become one",
             one,
             {},
             flatten_shape,
             rules::free_of_charge,
             couple_flatten,
             {},
             true};
  Op concat{"concat",
            "joins tensors along an axis",
            {{"inputs", ValueKind::activation, false, true}},
            {{"axis", std::int64_t{1}, false, "the axis that grows"}},
            concat_shape,
            rules::free_of_charge,
            couple_concat};
  return {concat, flatten, permute};
}

}  // namespace compress
