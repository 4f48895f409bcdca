#include <fmt/format.h>

#include <algorithm>

#include "libcompress/graph/ops/couple.h"
#include "libcompress/graph/ops/rules.h"

namespace compress {
namespace {

/// input [N, C, ...], weight, bias, mean, variance [C]
Shape batch_norm_shape(const OpCall& call) {
  rules::expect_rank_at_least(call, 0, 2);
  const Shape channels{call.input(0)[1]};
  for (std::size_t i = 1; i < 5; ++i) {
    if (call.input(i) != channels)
      rules::bad_call(call, fmt::format("parameter {} of shape {}", i, to_string(call.input(i))),
                      to_string(channels));
  }
  return call.input(0);
}

Cost batch_norm_cost(const OpCall&, const Shape& output) { return {0, 2 * element_count(output)}; }

Shape add_shape(const OpCall& call) {
  if (call.input(0) != call.input(1))
    rules::bad_call(call, fmt::format("shapes {} and {}", to_string(call.input(0)), to_string(call.input(1))),
                    "two equal shapes");
  return call.input(0);
}

Shape softmax_shape(const OpCall& call) {
  const auto axis = call.attributes.integer("axis");
  if (axis < 1 || axis >= static_cast<std::int64_t>(call.input(0).size()))
    rules::bad_call(call, fmt::format("axis {}", axis), fmt::format("1 to {}", call.input(0).size() - 1));
  return call.input(0);
}

Cost softmax_cost(const OpCall&, const Shape& output) { return {0, 4 * element_count(output)}; }

}  // namespace

std::vector<Op> elementwise_ops() {
  const std::vector<OperandSpec> one = {{"input", ValueKind::activation}};
  const std::vector<OperandSpec> two = {{"a", ValueKind::activation}, {"b", ValueKind::activation}};
  Op relu{"relu", "max(x, 0)", one, {}, rules::same_shape, rules::one_op_an_element, couple::pass_through,
          {},     true,        true};
  Op dropout{"dropout",
             "zeroes elements at random while training, nothing otherwise",
             one,
             {{"rate", 0.5, false, "probability that an element is zeroed, 0 to below 1"}},
             rules::same_shape,
             rules::free_of_charge,
             couple::pass_through,
             {},
             true,
             true};
  Op add{"add",      "elementwise sum of two tensors of the same shape",
         two,        {},
         add_shape,  rules::one_op_an_element,
         couple::sum};
  Op batch_norm{"batch_norm",
                "normalizes each channel (axis 1), batch statistics while training, running ones otherwise",
                {{"input", ValueKind::activation},
                 {"weight", ValueKind::parameter},
                 {"bias", ValueKind::parameter},
                 {"mean", ValueKind::buffer},
                 {"variance", ValueKind::buffer}},
                {{"epsilon", 1e-5, false, "added to the variance"},
                 {"momentum", 0.1, false, "weight of a new batch in the running statistics"}},
                batch_norm_shape,
                batch_norm_cost,
                couple::batch_norm,
                {},
                true};
  Op softmax{"softmax",
             "exp(x) / sum exp(x) along an axis",
             one,
             {{"axis", std::int64_t{1}, false, "the axis that sums to 1"}},
             softmax_shape,
             softmax_cost,
             couple::softmax};
  return {add, batch_norm, dropout, relu, softmax};
}

}  // namespace compress
