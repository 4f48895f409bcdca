#include <fmt/format.h>

#include "libcompress/graph/ops/couple.h"
#include "libcompress/graph/ops/rules.h"

namespace compress {
namespace {

/// Error unless each parameter (operands 1 and up) has this shape.
void expect_parameters(const OpCall& call, const Shape& allowed) {
  for (std::size_t i = 1; i < call.inputs.size(); ++i) {
    if (call.input(i) != allowed)
      rules::bad_call(call, fmt::format("parameter {} of shape {}", i, to_string(call.input(i))),
                      to_string(allowed));
  }
}

Shape batch_norm_shape(const OpCall& call) {
  rules::expect_rank_at_least(call, 0, 2);
  expect_parameters(call, {call.input(0)[1]});
  return call.input(0);
}

Shape layer_norm_shape(const OpCall& call) {
  const auto axis = rules::expect_axis(call, "axis", 0);
  expect_parameters(call, {call.input(0).begin() + axis, call.input(0).end()});
  return call.input(0);
}

Shape group_norm_shape(const OpCall& call) {
  rules::expect_rank_at_least(call, 0, 2);
  const auto channels = call.input(0)[1], groups = call.attributes.integer("groups");
  if (groups < 1 || channels % groups != 0)
    rules::bad_call(call, fmt::format("{} groups for {} channels", groups, channels), "a divisor");
  expect_parameters(call, {channels});
  return call.input(0);
}

Shape instance_norm_shape(const OpCall& call) {
  rules::expect_rank_at_least(call, 0, 3);
  expect_parameters(call, {call.input(0)[1]});
  return call.input(0);
}

/// Known statistics: a scale and a shift.
Cost two_ops_an_element(const OpCall&, const Shape& output) { return {0, 2 * element_count(output)}; }
/// Mean, variance, and then both used.
Cost statistics_cost(const OpCall&, const Shape& output) { return {0, 6 * element_count(output)}; }

const AttributeSpec kEpsilon = {"epsilon", 1e-5, false, "added to the variance"};

std::vector<OperandSpec> scaled_input() {
  return {{"input", ValueKind::activation},
          {"weight", ValueKind::parameter, true},
          {"bias", ValueKind::parameter, true}};
}

}  // namespace

std::vector<Op> normalization_ops() {
  Op batch_norm{"batch_norm",
                "normalizes each channel (axis 1), batch statistics while training, running ones otherwise",
                "every axis passes; the parameters follow axis 1",
                {{"input", ValueKind::activation},
                 {"weight", ValueKind::parameter},
                 {"bias", ValueKind::parameter},
                 {"mean", ValueKind::buffer},
                 {"variance", ValueKind::buffer}},
                {kEpsilon, {"momentum", 0.1, false, "weight of a new batch in the running statistics"}},
                batch_norm_shape,
                two_ops_an_element,
                couple::batch_norm,
                {},
                true};
  Op layer_norm{"layer_norm",
                "normalizes over all axes from one on; scale and shift have their extents",
                "every axis passes; the parameters follow, and statistics are those of what is left",
                scaled_input(),
                {{"axis", std::int64_t{1}, true, "the first axis of the statistics"}, kEpsilon},
                layer_norm_shape,
                statistics_cost,
                couple::layer_norm};
  Op group_norm{
      "group_norm",
      "normalizes each group of channels (axis 1) over its channels and all axes behind",
      "channels pass, groups of several keep equal counts; the parameters follow; pins the axes behind",
      scaled_input(),
      {{"groups", std::int64_t{1}, true, "groups of channels"}, kEpsilon},
      group_norm_shape,
      statistics_cost,
      couple::group_norm,
      couple::resize_group_norm};
  Op instance_norm{"instance_norm",
                   "normalizes each channel (axis 1) over all axes behind",
                   "channels pass; the parameters follow; pins the axes behind",
                   scaled_input(),
                   {kEpsilon},
                   instance_norm_shape,
                   statistics_cost,
                   couple::instance_norm};
  return {batch_norm, layer_norm, group_norm, instance_norm};
}

}  // namespace compress
