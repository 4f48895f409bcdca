#include <fmt/format.h>

#include <algorithm>

#include "libcompress/base/checked.h"
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

/// input [N, C, spatial...], weight [C, O / groups, kernel...], bias [O] -> [N, O, spatial...]; padding is
/// what is cut off the full result.
Shape conv_transpose_shape(const OpCall& call) {
  rules::expect_rank_at_least(call, 0, 3);
  const auto& input = call.input(0);
  const auto& weight = call.input(1);
  rules::expect_rank(call, 1, input.size());
  const std::size_t spatial = input.size() - 2;
  const auto stride = rules::integers_or(call, "stride", spatial, 1, 1);
  const auto padding = rules::integers_or(call, "padding", 2 * spatial, 0, 0);
  const auto extra = rules::integers_or(call, "output_padding", spatial, 0, 0);
  const auto dilation = rules::integers_or(call, "dilation", spatial, 1, 1);
  const auto groups = call.attributes.integer("groups");
  if (groups < 1 || input[1] % groups != 0 || weight[0] != input[1])
    rules::bad_call(
        call,
        fmt::format("{} groups and weight {} for {} input channels", groups, to_string(weight), input[1]),
        "a divisor, and a weight [in, out / groups, kernel...]");
  const auto channels = weight[1] * groups;
  if (call.inputs.size() > 2 && call.input(2) != Shape{channels})
    rules::bad_call(call, "bias " + to_string(call.input(2)), to_string(Shape{channels}));
  Shape output{input[0], channels};
  for (std::size_t i = 0; i < spatial; ++i) {
    const auto window = checked_mul(dilation[i], weight[i + 2] - 1, call.node_name) + 1;
    const auto extent = checked_mul(input[i + 2] - 1, stride[i], call.node_name) + window + extra[i] -
                        padding[i] - padding[spatial + i];
    if (extent < 1 || extra[i] >= std::max(stride[i], dilation[i]))
      rules::bad_call(call,
                      fmt::format("padding {} and output_padding {}", to_string(padding), to_string(extra)),
                      "what leaves something, with output_padding below stride or dilation");
    output.push_back(extent);
  }
  return output;
}

Cost conv_transpose_cost(const OpCall& call, const Shape& output) {
  const auto& weight = call.input(1);
  const auto macs_an_input = element_count(weight) / weight[0];
  return {element_count(call.input(0)) * macs_an_input, call.inputs.size() > 2 ? element_count(output) : 0};
}

/// a [..., M, K], b [..., K, N] -> [..., M, N]
Shape matmul_shape(const OpCall& call) {
  rules::expect_rank_at_least(call, 0, 2);
  rules::expect_rank_at_least(call, 1, 2);
  const auto& a = call.input(0);
  const auto& b = call.input(1);
  if (a.back() != b[b.size() - 2])
    rules::bad_call(call, fmt::format("shapes {} and {}", to_string(a), to_string(b)),
                    "[..., M, K] and [..., K, N]");
  const std::vector<Shape> batches = {{a.begin(), a.end() - 2}, {b.begin(), b.end() - 2}};
  Shape output = rules::broadcast_shape({call.node_name, call.attributes, batches});
  output.push_back(a[a.size() - 2]);
  output.push_back(b.back());
  return output;
}

Cost matmul_cost(const OpCall& call, const Shape& output) {
  return {element_count(output) * call.input(0).back(), 0};
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
  const std::string makes_channels =
      "makes channels; ties those it reads to its weight; groups keep equal counts; rows and columns are "
      "spatial unless window and step are 1";
  const std::vector<OperandSpec> operands = {{"input", ValueKind::activation},
                                             {"weight", ValueKind::parameter},
                                             {"bias", ValueKind::parameter, true}};
  Op conv{"conv",
          "convolution over one, two or three spatial axes, with groups and dilation",
          makes_channels,
          operands,
          {{"stride", Integers{1, 1}, false, "step of the window along each spatial axis"},
           {"padding", Integers{0, 0, 0, 0}, false, "zeros before each spatial axis, then after each"},
           {"dilation", Integers{1, 1}, false, "distance of the window's elements"},
           {"groups", std::int64_t{1}, false, "channel groups that do not see each other"}},
          conv_shape,
          conv_cost,
          couple::conv,
          couple::resize_conv};
  Op linear{"linear",
            "fully connected layer over the last axis",
            "makes features on the last axis, and ties those it reads to its weight; the other axes pass",
            operands,
            {},
            linear_shape,
            conv_cost,
            couple::linear};
  Op conv_transpose{
      "conv_transpose",
      "transposed convolution over one, two or three spatial axes, with groups and dilation",
      makes_channels,
      operands,
      {{"stride", Integers{}, false, "elements between those of the input; 1 where empty"},
       {"padding", Integers{}, false, "elements cut off before each spatial axis, then after each"},
       {"output_padding", Integers{}, false, "elements added behind each spatial axis"},
       {"dilation", Integers{}, false, "distance of the window's elements; 1 where empty"},
       {"groups", std::int64_t{1}, false, "channel groups that do not see each other"}},
      conv_transpose_shape,
      conv_transpose_cost,
      couple::conv_transpose,
      couple::resize_conv_transpose};
  Op matmul{
      "matmul",
      "matrix product over the last two axes; the axes before them broadcast",
      "ties the batch axes and the one it sums over, pinned if no side is zero; rows of a, columns of b pass",
      {{"a", ValueKind::activation}, {"b", ValueKind::activation}},
      {},
      matmul_shape,
      matmul_cost,
      couple::matmul};
  return {conv, conv_transpose, linear, matmul};
}

}  // namespace compress
