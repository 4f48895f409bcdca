#include <fmt/format.h>

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
          couple::conv,
          couple::resize_conv};
  Op linear{"linear",      "fully connected layer over the last axis", operands, {}, linear_shape, conv_cost,
            couple::linear};
  return {conv, linear};
}

}  // namespace compress
