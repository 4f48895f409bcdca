#include <fmt/format.h>

#include <algorithm>

#include "libcompress/graph/ops/couple.h"
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

/// Channels and filters one to one, or one to the multiplier.
void couple_depthwise(IdFlow& flow) {
  const auto outputs = couple::cells_along(flow, 1, 0);
  const auto inputs = couple::cells_along(flow, 0, 1);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    flow.tie(inputs[i / (outputs.size() / inputs.size())], outputs[i]);
}

/// A weight index serves every group, so index j goes in all groups or in none: coarse, but counts stay
/// equal.
void couple_grouped(IdFlow& flow, std::size_t groups) {
  couple::tie_blocks(flow, couple::cells_along(flow, 1, 0), groups);
  const auto window = couple::cells_along(flow, 1, 1);
  const auto inputs = couple::cells_along(flow, 0, 1);
  for (std::size_t i = 0; i < inputs.size(); ++i) flow.tie(inputs[i], window[i % window.size()]);
}

/// Nothing removes a row or column of a kernel.
void pin_kernel(IdFlow& flow) {
  static const std::string reason = "it is a row or column of a kernel";
  for (const auto& layer : flow.layers(1)) {
    if (layer.axis >= 2) flow.pin(layer, reason);
  }
}

/// What the filters make, with their biases.
void emit_filters(IdFlow& flow, int axis, std::vector<CellId> filters) {
  bool zero = couple::is_zero_along(flow, 1, 0);
  if (flow.input_count() > 2) {
    flow.tie(filters, couple::cells_along(flow, 2, 0));
    zero = zero && couple::is_zero_along(flow, 2, 0);
  }
  if (std::all_of(filters.begin(), filters.end(), [](CellId cell) { return cell == kNoCell; })) return;
  flow.emit({axis, std::move(filters), zero});
}

void couple_conv(IdFlow& flow) {
  const auto& weight = flow.input_shape(1);
  const auto groups = flow.node().attributes.integer("groups");
  pin_kernel(flow);
  if (groups == 1) {
    couple::contract(flow, 1, 1, 1);
  } else {
    couple::pin_further_layers(flow, 0, 1);
    const int read = is_depthwise(groups, weight) ? 0 : 1;  // the weight's axis that goes with the input
    if (!couple::is_zero_along(flow, 1, read)) couple::pin_unless_zero(flow, 0, 1);
    if (is_depthwise(groups, weight)) {
      couple_depthwise(flow);
    } else {
      couple_grouped(flow, static_cast<std::size_t>(groups));
    }
  }
  emit_filters(flow, 1, couple::cells_along(flow, 1, 0));

  const auto& stride = flow.node().attributes.integers("stride");
  const auto& padding = flow.node().attributes.integers("padding");
  std::vector<bool> unit;
  for (std::size_t i = 0; i < stride.size(); ++i)
    unit.push_back(weight[i + 2] == 1 && stride[i] == 1 && padding[i] == 0 &&
                   padding[stride.size() + i] == 0);
  couple::slide_over_spatial_axes(flow, unit);
}

/// A depthwise convolution has as many groups as channels are left; any other keeps its groups.
Rewrite conv_resize(const Remains& left) {
  const auto& before = left.before();
  Rewrite rewrite{"conv", before.attributes};
  if (is_depthwise(before.attributes.integer("groups"), before.input(1)))
    rewrite.attributes.set("groups", left.input(0)[1]);
  return rewrite;
}

/// Every output is a sum over the last axis. Ids along the others move on: what a removed index leaves there
/// is read only where its consumers' weights go too.
void couple_linear(IdFlow& flow) {
  const int last = static_cast<int>(flow.input_shape(0).size()) - 1;
  couple::contract(flow, last, 1, 1);
  emit_filters(flow, last, couple::cells_along(flow, 1, 0));
  const bool without_bias = flow.input_count() < 3;
  for (const auto& layer : flow.layers(0)) {
    if (layer.axis != last) flow.emit(layer.with_zero(layer.zero && without_bias));
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
