#include <fmt/format.h>

#include <algorithm>
#include <numeric>

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
             couple::permute};
  Op flatten{"flatten",
             "all axes but the batch become one",
             one,
             {},
             flatten_shape,
             rules::free_of_charge,
             couple::reshape,
             {},
             true};
  Op concat{"concat",
            "joins tensors along an axis",
            {{"inputs", ValueKind::activation, false, true}},
            {{"axis", std::int64_t{1}, false, "the axis that grows"}},
            concat_shape,
            rules::free_of_charge,
            couple::concat};
  return {concat, flatten, permute};
}

}  // namespace compress
