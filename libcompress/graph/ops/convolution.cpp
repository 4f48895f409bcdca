#include <fmt/format.h>

#include "libcompress/graph/ops/rules.h"

namespace compress {
namespace {

using Integers = std::vector<std::int64_t>;

/// input [N, C, spatial...], weight [O, C / groups, kernel...], bias [O] -> [N, O, spatial...]
Shape conv_shape(const OpCall& call) {
  rules::expect_rank_at_least(call, 0, 3);
  const auto& input = call.input(0);
  const auto& weight = call.input(1);
  rules::expect_rank(call, 1, input.size());
  const std::size_t spatial = input.size() - 2;
  const auto& stride = rules::expect_integers(call, "stride", spatial, 1);
  const auto& padding = rules::expect_integers(call, "padding", 2 * spatial, 0);
  const auto& dilation = rules::expect_integers(call, "dilation", spatial, 1);
  const auto groups = call.attributes.integer("groups");
  if (groups < 1 || input[1] % groups != 0 || weight[0] % groups != 0)
    rules::bad_call(call,
                    fmt::format("{} groups for {} input and {} output channels", groups, input[1], weight[0]),
                    "a divisor of both");
  if (weight[1] * groups != input[1])
    rules::bad_call(call, fmt::format("weight {} for {} input channels", to_string(weight), input[1]),
                    fmt::format("[out, {}, kernel...]", input[1] / groups));
  if (call.inputs.size() > 2 && call.input(2) != Shape{weight[0]})
    rules::bad_call(call, "bias " + to_string(call.input(2)), to_string(Shape{weight[0]}));
  Shape output{input[0], weight[0]};
  for (std::size_t i = 0; i < spatial; ++i)
    output.push_back(rules::window_extent(call, input[i + 2], weight[i + 2], stride[i], padding[i],
                                          padding[spatial + i], dilation[i]));
  return output;
}

Cost conv_cost(const OpCall& call, const Shape& output) {
  const auto& weight = call.input(1);
  const std::int64_t macs_an_output = element_count(weight) / weight[0];
  return {element_count(output) * macs_an_output, call.inputs.size() > 2 ? element_count(output) : 0};
}

/// Each input channel has its own filters: channel c makes the outputs c * m .. c * m + m - 1.
bool is_depthwise(std::int64_t groups, const Shape& weight) { return groups > 1 && weight[1] == 1; }

void couple_depthwise(IdFlow& flow) {
  const auto outputs = flow.cells(1, 0);
  const auto channels = static_cast<std::size_t>(flow.input_shape(0)[1]);
  const auto* layer = layer_along(flow.layers(0), 1);
  const auto inputs = layer ? layer->along(1) : std::vector<CellId>(channels, kNoCell);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    flow.tie(inputs[i / (outputs.size() / channels)], outputs[i]);
}

/// A weight index serves every group, so index j goes in all groups or in none: coarse, but counts stay
/// equal.
void couple_grouped(IdFlow& flow, std::size_t groups) {
  const auto outputs = flow.cells(1, 0);
  const auto per_group = outputs.size() / groups;
  for (std::size_t i = per_group; i < outputs.size(); ++i) flow.tie(outputs[i % per_group], outputs[i]);
  const auto window = flow.cells(1, 1);
  const auto* layer = layer_along(flow.layers(0), 1);
  const auto channels = static_cast<std::size_t>(flow.input_shape(0)[1]);
  const auto inputs = layer ? layer->along(1) : std::vector<CellId>(channels, kNoCell);
  for (std::size_t i = 0; i < inputs.size(); ++i) flow.tie(inputs[i], window[i % window.size()]);
}

void pin_further_channel_layers(IdFlow& flow) {
  bool first = true;
  for (const auto& layer : flow.layers(0)) {
    if (layer.varying_axis() != 1) continue;
    if (!first)
      flow.pin(layer, fmt::format("two prunable axes meet in the channels of node '{}'", flow.node().name));
    first = false;
  }
}

void couple_conv(IdFlow& flow) {
  const auto& weight = flow.input_shape(1);
  const auto groups = flow.node().attributes.integer("groups");
  if (groups == 1) {
    rules::tie_to_input(flow, 1, 1, 1);
  } else {
    pin_further_channel_layers(flow);
    if (is_depthwise(groups, weight)) {
      couple_depthwise(flow);
    } else {
      couple_grouped(flow, static_cast<std::size_t>(groups));
    }
  }
  if (flow.input_count() > 2) rules::tie_all(flow, flow.cells(1, 0), flow.cells(2, 0));
  rules::emit_along(flow, 1, flow.cells(1, 0));

  const auto& stride = flow.node().attributes.integers("stride");
  const auto& padding = flow.node().attributes.integers("padding");
  std::vector<bool> unit;
  for (std::size_t i = 0; i < stride.size(); ++i)
    unit.push_back(weight[i + 2] == 1 && stride[i] == 1 && padding[i] == 0 &&
                   padding[stride.size() + i] == 0);
  rules::slide_over_spatial_axes(flow, unit);
}

/// A depthwise convolution has as many groups as channels are left; any other keeps its groups.
Attributes conv_resize(const OpCall& before, std::span<const Shape> after) {
  Attributes attributes = before.attributes;
  if (is_depthwise(before.attributes.integer("groups"), before.input(1)))
    attributes.set("groups", after[0][1]);
  return attributes;
}

/// Every output is a sum over the last axis. Ids along the others move on: what a removed index leaves there
/// is read only where its consumers' weights go too.
void couple_linear(IdFlow& flow) {
  const int last = static_cast<int>(flow.input_shape(0).size()) - 1;
  rules::tie_to_input(flow, last, 1, 1);
  if (flow.input_count() > 2) rules::tie_all(flow, flow.cells(1, 0), flow.cells(2, 0));
  rules::emit_along(flow, last, flow.cells(1, 0));
  for (const auto& layer : flow.layers(0)) {
    const int axis = layer.varying_axis();
    if (axis == -2) flow.pin(layer, fmt::format("node '{}' sums over a part of it", flow.node().name));
    if (axis >= 0 && axis != last) rules::emit_along(flow, axis, layer.along(axis));
  }
}

/// input [N, ..., I], weight [O, I], bias [O] -> [N, ..., O]
Shape linear_shape(const OpCall& call) {
  rules::expect_rank_at_least(call, 0, 2);
  rules::expect_rank(call, 1, 2);
  const auto& weight = call.input(1);
  if (call.input(0).back() != weight[1])
    rules::bad_call(call, fmt::format("weight {} for {} features", to_string(weight), call.input(0).back()),
                    fmt::format("[out, {}]", call.input(0).back()));
  if (call.inputs.size() > 2 && call.input(2) != Shape{weight[0]})
    rules::bad_call(call, "bias " + to_string(call.input(2)), to_string(Shape{weight[0]}));
  Shape output = call.input(0);
  output.back() = weight[0];
  return output;
}

}  // namespace

std::vector<Op> convolution_ops() {
  const std::vector<OperandSpec> operands = {{"input", ValueKind::activation},
                                             {"weight", ValueKind::parameter},
                                             {"bias", ValueKind::parameter, true}};
  Op conv{"conv",
          "convolution over one, two or three spatial axes, with groups and dilation",
          operands,
          {{"stride", Integers{1, 1}, false, "step of the window along each spatial axis"},
           {"padding", Integers{0, 0, 0, 0}, false, "zeros before each spatial axis, then after each"},
           {"dilation", Integers{1, 1}, false, "distance of the window's elements"},
           {"groups", std::int64_t{1}, false, "channel groups that do not see each other"}},
          conv_shape,
          conv_cost,
          couple_conv,
          conv_resize};
  Op linear{"linear",     "fully connected layer over the last axis", operands, {}, linear_shape, conv_cost,
            couple_linear};
  return {conv, linear};
}

}  // namespace compress
