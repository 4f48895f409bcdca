// Functions of each element, of two elements, and along the last axis.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "libcompress/import/tensor_math.h"
#include "libcompress/import/tflite/operators.h"

namespace compress::tflite {
namespace {

View apply(const Call& call, const std::string& op, Attributes attributes = {}) {
  const auto input = call.view(0);
  return {call.emit(op, {input.value}, std::move(attributes)), input.axes};
}

template <const char* op>
void unary(const Call& call) {
  call.define(0, apply(call, op));
}

void relu_n1_to_1(const Call& call) { call.define(0, apply(call, "clip", {{"min", -1.0}, {"max", 1.0}})); }
void relu_0_to_1(const Call& call) { call.define(0, apply(call, "clip", {{"min", 0.0}, {"max", 1.0}})); }
void elu(const Call& call) { call.define(0, apply(call, "elu", {{"alpha", 1.0}})); }

void leaky_relu(const Call& call) {
  constexpr std::uint16_t kAlpha = 0;
  call.define(0, apply(call, "leaky_relu", {{"slope", call.options().number(kAlpha)}}));
}

void gelu(const Call& call) {
  constexpr std::uint16_t kApproximate = 0;
  call.define(0, apply(call, "gelu", {{"tanh", call.options().boolean(kApproximate)}}));
}

/// Both operands in one order of axes: that of the first computed one that has them all.
struct Operands {
  std::vector<ValueId> values;
  Integers axes;
};

Integers common_order(const Call& call, std::size_t rank) {
  auto axes = file_order(rank);
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    if (call.is_constant(i) || call.rank(i) != rank) continue;
    axes = call.view(i).axes;
    if (axes != file_order(rank)) break;
  }
  return axes;
}

Operands broadcast_operands(const Call& call) {
  const auto rank = std::max(call.rank(0), call.rank(1));
  Operands operands{{}, common_order(call, rank)};
  for (std::size_t i = 0; i < 2; ++i) {
    // Two constants whose operator has no folding rule keep all their axes.
    const bool keeps_axes = call.is_constant(i) && call.is_constant(1 - i);
    operands.values.push_back(keeps_axes ? call.view(i).value : call.operand(i, operands.axes));
  }
  return operands;
}

template <const char* op>
void binary(const Call& call) {
  constexpr std::uint16_t kActivation = 0;
  const auto operands = broadcast_operands(call);
  call.define_activated({call.emit(op, operands.values), operands.axes}, call.options().byte(kActivation));
}

/// Without a fused activation: field 0 of their options is none, or they have no options.
template <const char* op>
void plain_binary(const Call& call) {
  const auto operands = broadcast_operands(call);
  call.define(0, View{call.emit(op, operands.values), operands.axes});
}

void squared_difference(const Call& call) {
  const auto operands = broadcast_operands(call);
  const auto difference = call.emit("sub", operands.values, {}, "difference");
  call.define(0, View{call.emit("mul", {difference, difference}), operands.axes});
}

void square(const Call& call) {
  const auto input = call.view(0);
  call.define(0, View{call.emit("mul", {input.value, input.value}), input.axes});
}

void add_n(const Call& call) {
  if (call.input_count() == 1) return call.pass(0, 0);
  const auto axes = common_order(call, call.rank(0));
  auto sum = call.operand(0, axes);
  for (std::size_t i = 1; i < call.input_count(); ++i) {
    const auto part = i + 1 == call.input_count() ? std::string() : fmt::format("part{}", i);
    sum = call.emit("add", {sum, call.operand(i, axes)}, {}, part);
  }
  call.define(0, View{sum, axes});
}

void prelu(const Call& call) {
  const auto input = call.view(0);
  call.define(0, View{call.emit("prelu", {input.value, call.operand(1, input.axes)}), input.axes});
}

/// Where the last axis of the tensor is in the value.
std::int64_t last_axis(const Call& call, const View& view) {
  if (view.axes.empty()) call.refuse("a single number", "one axis or more");
  return view.axes.back();
}

void softmax(const Call& call) {
  constexpr std::uint16_t kBeta = 0;
  auto input = call.view(0);
  const auto axis = last_axis(call, input);
  const auto beta = call.options().number(kBeta, 1.0);
  if (beta != 1.0) input = with_number(call, "mul", input, beta, "beta");
  call.define(0, View{call.emit("softmax", {input.value}, {{"axis", axis}}), input.axes});
}

void log_softmax(const Call& call) {
  const auto input = call.view(0);
  const auto axis = last_axis(call, input);
  call.define(0, View{call.emit("log_softmax", {input.value}, {{"axis", axis}}), input.axes});
}

/// x / max(norm of x, 1e-6) along the last axis.
void l2_normalization(const Call& call) {
  constexpr std::uint16_t kActivation = 0;
  const auto input = call.view(0);
  const Integers axes = {last_axis(call, input)};
  const auto norm = call.emit("reduce_l2", {input.value}, {{"axes", axes}, {"keep", true}}, "norm");
  const auto bounded = with_number(call, "maximum", {norm, input.axes}, 1e-6, "bounded");
  call.define_activated({call.emit("div", {input.value, bounded.value}), input.axes},
                        call.options().byte(kActivation));
}

// ---- Of constants

template <float (*function)(float)>
void fold_unary(const Call& call) {
  if (call.tensor(0).dtype() != DType::float32) call.refuse("integers", "floats");
  call.charge(call.shape(0));
  call.define(0, tensor_math::map_floats(call.tensor(0), function));
}

using FloatFunction = float (*)(float, float);
using IntegerFunction = std::int64_t (*)(std::int64_t, std::int64_t);

template <FloatFunction floats, IntegerFunction integers>
void fold_binary(const Call& call) {
  const auto &a = call.tensor(0), &b = call.tensor(1);
  const auto shape = tensor_math::broadcast(a.shape(), b.shape());
  const bool alike = a.dtype() == b.dtype() && a.dtype() != DType::boolean;
  if (!shape || !alike)
    call.refuse("constants that do not fit each other", "one type, and shapes that broadcast");
  call.charge(*shape);
  call.define(0, a.dtype() == DType::float32 ? tensor_math::combine_floats(a, b, floats)
                                             : tensor_math::combine_integers(a, b, integers));
}

// Integers wrap around, as in two's complement, and nothing is divided by 0.
std::int64_t wrap(std::uint64_t bits) { return static_cast<std::int64_t>(bits); }
std::uint64_t bits(std::int64_t number) { return static_cast<std::uint64_t>(number); }
float add(float a, float b) { return a + b; }
float sub(float a, float b) { return a - b; }
float mul(float a, float b) { return a * b; }
float div(float a, float b) { return a / b; }
float larger(float a, float b) { return std::max(a, b); }
float smaller(float a, float b) { return std::min(a, b); }
float floor_div(float a, float b) { return std::floor(a / b); }
std::int64_t add_integers(std::int64_t a, std::int64_t b) { return wrap(bits(a) + bits(b)); }
std::int64_t sub_integers(std::int64_t a, std::int64_t b) { return wrap(bits(a) - bits(b)); }
std::int64_t mul_integers(std::int64_t a, std::int64_t b) { return wrap(bits(a) * bits(b)); }
std::int64_t div_integers(std::int64_t a, std::int64_t b) {
  return b == 0 ? 0 : b == -1 ? wrap(0 - bits(a)) : a / b;
}
std::int64_t floor_div_integers(std::int64_t a, std::int64_t b) {
  const auto cut = div_integers(a, b);
  return b != 0 && b != -1 && a % b != 0 && (a < 0) != (b < 0) ? cut - 1 : cut;
}
std::int64_t larger_integer(std::int64_t a, std::int64_t b) { return std::max(a, b); }
std::int64_t smaller_integer(std::int64_t a, std::int64_t b) { return std::min(a, b); }

float exponential(float x) { return std::exp(x); }
float logarithm(float x) { return std::log(x); }
float root(float x) { return std::sqrt(x); }
float inverse_root(float x) { return 1.0F / std::sqrt(x); }
float magnitude(float x) { return std::abs(x); }
float negative(float x) { return -x; }
float squared(float x) { return x * x; }
float rounded_down(float x) { return std::floor(x); }
float rounded_up(float x) { return std::ceil(x); }

constexpr char kAbs[] = "abs", kAdd[] = "add", kCeil[] = "ceil", kCos[] = "cos", kDiv[] = "div",
               kExp[] = "exp", kFloor[] = "floor", kHardSwish[] = "hard_swish", kLog[] = "log",
               kMaximum[] = "maximum", kMinimum[] = "minimum", kMul[] = "mul", kNeg[] = "neg", kPow[] = "pow",
               kRelu[] = "relu", kRelu6[] = "relu6", kRound[] = "round", kRsqrt[] = "rsqrt",
               kSigmoid[] = "sigmoid", kSign[] = "sign", kSin[] = "sin", kSqrt[] = "sqrt", kSub[] = "sub",
               kTanh[] = "tanh";

}  // namespace

std::vector<Operator> elementwise_operators() {
  return {{"ABS", unary<kAbs>, fold_unary<magnitude>},
          {"ADD", binary<kAdd>, fold_binary<add, add_integers>},
          {"ADD_N", add_n},
          {"CEIL", unary<kCeil>, fold_unary<rounded_up>},
          {"COS", unary<kCos>},
          {"DIV", binary<kDiv>, fold_binary<div, div_integers>},
          {"ELU", elu},
          {"EXP", unary<kExp>, fold_unary<exponential>},
          {"FLOOR", unary<kFloor>, fold_unary<rounded_down>},
          {"FLOOR_DIV", nullptr, fold_binary<floor_div, floor_div_integers>},
          {"GELU", gelu},
          {"HARD_SWISH", unary<kHardSwish>},
          {"L2_NORMALIZATION", l2_normalization},
          {"LEAKY_RELU", leaky_relu},
          {"LOG", unary<kLog>, fold_unary<logarithm>},
          {"LOGISTIC", unary<kSigmoid>},
          {"LOG_SOFTMAX", log_softmax},
          {"MAXIMUM", plain_binary<kMaximum>, fold_binary<larger, larger_integer>},
          {"MINIMUM", plain_binary<kMinimum>, fold_binary<smaller, smaller_integer>},
          {"MUL", binary<kMul>, fold_binary<mul, mul_integers>},
          {"NEG", unary<kNeg>, fold_unary<negative>},
          {"POW", plain_binary<kPow>},
          {"PRELU", prelu},
          {"RELU", unary<kRelu>},
          {"RELU6", unary<kRelu6>},
          {"RELU_0_TO_1", relu_0_to_1},
          {"RELU_N1_TO_1", relu_n1_to_1},
          {"ROUND", unary<kRound>},
          {"RSQRT", unary<kRsqrt>, fold_unary<inverse_root>},
          {"SIGN", unary<kSign>},
          {"SIN", unary<kSin>},
          {"SOFTMAX", softmax},
          {"SQRT", unary<kSqrt>, fold_unary<root>},
          {"SQUARE", square, fold_unary<squared>},
          {"SQUARED_DIFFERENCE", squared_difference},
          {"SUB", binary<kSub>, fold_binary<sub, sub_integers>},
          {"TANH", unary<kTanh>}};
}

}  // namespace compress::tflite
