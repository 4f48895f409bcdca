// Functions of one value: each element by itself, and softmax.
#include <fmt/format.h>

#include "libcompress/graph/ops/couple.h"
#include "libcompress/graph/ops/rules.h"

namespace compress {
namespace {

const std::vector<OperandSpec> kInput = {{"input", ValueKind::activation}};

/// What becomes of an id where the operator makes no zero of zero.
enum class AtZero {
  zero,      ///< f(0) = 0
  finite,    ///< anything else
  infinite,  ///< no number at all: what is removed must not be zero
};

std::string words_of(AtZero at_zero) {
  switch (at_zero) {
    case AtZero::zero:
      return "every axis passes; zeros stay zero";
    case AtZero::finite:
      return "every axis passes; zeros do not stay zero";
    case AtZero::infinite:
      break;
  }
  return "every axis passes, pinned where what is removed is zero";
}

Op activation(std::string name, std::string summary, AtZero at_zero,
              std::vector<AttributeSpec> attributes = {}) {
  return {std::move(name),
          std::move(summary),
          words_of(at_zero),
          kInput,
          std::move(attributes),
          rules::same_shape,
          rules::one_op_an_element,
          at_zero == AtZero::infinite ? couple::pass_unless_zero : couple::pass_through,
          {},
          true,
          at_zero == AtZero::zero};
}

Shape clip_shape(const OpCall& call) {
  const auto low = call.attributes.number("min"), high = call.attributes.number("max");
  if (!(low <= high)) rules::bad_call(call, fmt::format("min {} and max {}", low, high), "min not above max");
  return call.input(0);
}

Shape softmax_shape(const OpCall& call) {
  rules::expect_axis(call, "axis", 0);
  return call.input(0);
}

Cost softmax_cost(const OpCall&, const Shape& output) { return {0, 4 * element_count(output)}; }

/// Broadcasts the slope to the input.
Shape prelu_shape(const OpCall& call) {
  if (rules::broadcast_shape(call) != call.input(0))
    rules::bad_call(call, "a slope of shape " + to_string(call.input(1)),
                    "one that broadcasts to " + to_string(call.input(0)));
  return call.input(0);
}

Op softmax(std::string name, std::string summary) {
  return {std::move(name),
          std::move(summary),
          "pins the axis it runs over; the others pass",
          kInput,
          {{"axis", std::int64_t{1}, false, "the axis it runs over"}},
          softmax_shape,
          softmax_cost,
          couple::softmax};
}

}  // namespace

std::vector<Op> activation_ops() {
  constexpr auto zero = AtZero::zero, finite = AtZero::finite, infinite = AtZero::infinite;
  Op dropout{"dropout",
             "zeroes elements at random while training, nothing otherwise",
             words_of(AtZero::zero),
             kInput,
             {{"rate", 0.5, false, "probability that an element is zeroed, 0 to below 1"}},
             rules::same_shape,
             rules::free_of_charge,
             couple::pass_through,
             {},
             true,
             true};
  Op identity{"identity",
              "the value itself",
              words_of(AtZero::zero),
              kInput,
              {},
              rules::same_shape,
              rules::free_of_charge,
              couple::pass_through,
              {},
              true,
              true};
  Op clip = activation("clip", "limits to an interval", finite,
                       {{"min", 0.0, false, "least value"}, {"max", 6.0, false, "largest value"}});
  clip.shape = clip_shape;
  clip.couple = couple::clip;
  clip.pruning = "every axis passes; zeros stay zero if the interval holds 0";
  Op prelu{"prelu",
           "x where it is positive, slope * x elsewhere; the slope broadcasts",
           "ties the axes of input and slope; a repeated one of the slope is pinned",
           {{"input", ValueKind::activation}, {"slope", ValueKind::parameter}},
           {},
           prelu_shape,
           rules::one_op_an_element,
           couple::product};
  return {
      activation("relu", "max(x, 0)", zero),
      activation("relu6", "min(max(x, 0), 6)", zero),
      activation("sigmoid", "1 / (1 + exp(-x))", finite),
      activation("tanh", "hyperbolic tangent", zero),
      activation("hard_sigmoid", "min(max(alpha * x + beta, 0), 1)", finite,
                 {{"alpha", 1.0 / 6.0, false, "slope"}, {"beta", 0.5, false, "value at 0"}}),
      activation("hard_swish", "x * min(max(x + 3, 0), 6) / 6", zero),
      activation("silu", "x * sigmoid(x)", zero),
      activation("mish", "x * tanh(ln(1 + exp(x)))", zero),
      activation("gelu", "x times the normal distribution at x", zero,
                 {{"tanh", false, false, "the approximation by tanh"}}),
      activation("elu", "x where it is positive, alpha * (exp(x) - 1) elsewhere", zero,
                 {{"alpha", 1.0, false, "limit on the negative side"}}),
      activation("celu", "x where it is positive, alpha * (exp(x / alpha) - 1) elsewhere", zero,
                 {{"alpha", 1.0, false, "limit on the negative side"}}),
      activation("selu", "elu scaled so that it normalizes by itself", zero),
      activation("leaky_relu", "x where it is positive, slope * x elsewhere", zero,
                 {{"slope", 0.01, false, "of the negative side"}}),
      activation("softplus", "ln(1 + exp(beta * x)) / beta", finite, {{"beta", 1.0, false, "steepness"}}),
      activation("softsign", "x / (1 + |x|)", zero),
      activation("log_sigmoid", "ln(sigmoid(x))", finite),
      activation("exp", "exponential", finite),
      activation("log", "natural logarithm", infinite),
      activation("sqrt", "square root", zero),
      activation("rsqrt", "1 / square root", infinite),
      activation("reciprocal", "1 / x", infinite),
      activation("abs", "absolute value", zero),
      activation("neg", "-x", zero),
      activation("erf", "error function", zero),
      activation("sin", "sine", zero),
      activation("cos", "cosine", finite),
      activation("floor", "largest integer not above", zero),
      activation("ceil", "least integer not below", zero),
      activation("round", "nearest integer, halves to even", zero),
      activation("sign", "-1, 0 or 1", zero),
      clip,
      prelu,
      dropout,
      identity,
      softmax("softmax", "exp(x) / sum exp(x) along an axis"),
      softmax("log_softmax", "x - ln(sum exp(x)) along an axis"),
  };
}

}  // namespace compress
