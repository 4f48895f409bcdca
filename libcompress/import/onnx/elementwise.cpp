#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "libcompress/import/onnx/compose.h"
#include "libcompress/import/onnx/operators.h"

namespace compress::onnx {
namespace {

template <const char* op>
void unary(Call& call) {
  call.define(0, call.emit(op, {call.value(0)}));
}

template <const char* op>
void binary(Call& call) {
  call.define(0, call.emit(op, {call.value(0), call.value(1)}));
}

ValueId combined(Call& call, const std::string& op, bool is_last_step) {
  auto result = call.value(0);
  const auto count = call.input_count();
  for (std::size_t i = 1; i < count; ++i) {
    const bool is_last = is_last_step && i + 1 == count;
    result = call.emit(op, {result, call.value(i)}, {}, is_last ? "" : fmt::format("part{}", i));
  }
  return result;
}

template <const char* op>
void variadic(Call& call) {
  if (call.input_count() == 1) return call.pass(0, 0);
  call.define(0, combined(call, op, true));
}

void mean(Call& call) {
  if (call.input_count() == 1) return call.pass(0, 0);
  const auto sum = combined(call, "add", false);
  call.define(0, with_number(call, "div", sum, static_cast<double>(call.input_count()), ""));
}

void with_alpha(Call& call, const std::string& op, const std::string& attribute, double fallback) {
  call.define(0, call.emit(op, {call.value(0)}, {{attribute, call.number("alpha", fallback)}}));
}

void leaky_relu(Call& call) { with_alpha(call, "leaky_relu", "slope", 0.01f); }
void elu(Call& call) { with_alpha(call, "elu", "alpha", 1.0); }
void celu(Call& call) { with_alpha(call, "celu", "alpha", 1.0); }

void hard_sigmoid(Call& call) {
  call.define(0, call.emit("hard_sigmoid", {call.value(0)},
                           {{"alpha", call.number("alpha", 0.2f)}, {"beta", call.number("beta", 0.5)}}));
}

/// Ours has the constants of the paper; with others it is gamma * elu(x).
void selu(Call& call) {
  constexpr double kAlpha = 1.67326319217681884765625, kGamma = 1.05070102214813232421875;
  const auto alpha = call.number("alpha", kAlpha), gamma = call.number("gamma", kGamma);
  if (std::abs(alpha - kAlpha) < 1e-6 && std::abs(gamma - kGamma) < 1e-6)
    return call.define(0, call.emit("selu", {call.value(0)}));
  const auto bent = call.emit("elu", {call.value(0)}, {{"alpha", alpha}}, "elu");
  call.define(0, with_number(call, "mul", bent, gamma, ""));
}

void gelu(Call& call) {
  const auto kind = call.text("approximate", "none");
  if (kind != "none" && kind != "tanh")
    call.refuse(fmt::format("approximate {}", in_quotes(kind)), "none, tanh");
  call.define(0, call.emit("gelu", {call.value(0)}, {{"tanh", kind == "tanh"}}));
}

void softplus(Call& call) { call.define(0, call.emit("softplus", {call.value(0)}, {{"beta", 1.0}})); }

/// x where x > alpha, else 0: sign(relu(x - alpha)) is 1 exactly there.
void thresholded_relu(Call& call) {
  const auto shifted = with_number(call, "sub", call.value(0), call.number("alpha", 1.0), "shifted");
  const auto gate = call.emit("sign", {call.emit("relu", {shifted}, {}, "over")}, {}, "gate");
  call.define(0, call.emit("mul", {call.value(0), gate}));
}

/// A bound from input `i` or, before opset 11, from an attribute.
double bound(const Call& call, std::size_t i, const char* attribute, double fallback) {
  if (call.opset() < 11) return call.number(attribute, fallback);
  return call.has(i) ? call.number(i) : fallback;
}

void clip(Call& call) {
  constexpr double kNone = std::numeric_limits<float>::max();
  const auto least = std::max(bound(call, 1, "min", -kNone), -kNone);
  const auto most = std::min(bound(call, 2, "max", kNone), kNone);
  if (std::isnan(least) || std::isnan(most)) call.refuse("a bound that is not a number", "numbers");
  if (least == -kNone && most == kNone) return call.pass(0, 0);
  if (least == 0 && most == 6) return call.define(0, call.emit("relu6", {call.value(0)}));
  if (least == 0 && most == kNone) return call.define(0, call.emit("relu", {call.value(0)}));
  if (least <= most)
    return call.define(0, call.emit("clip", {call.value(0)}, {{"min", least}, {"max", most}}));
  // min(max(x, least), most) is `most` everywhere.
  const auto raised = with_number(call, "maximum", call.value(0), least, "raised");
  call.define(0, with_number(call, "minimum", raised, most, ""));
}

void prelu(Call& call) {
  auto shape = call.shape(1);
  while (shape.size() > call.shape(0).size() && shape.front() == 1) shape.erase(shape.begin());
  if (shape == call.shape(1) || !call.is_constant(1))
    return call.define(0, call.emit("prelu", {call.value(0), call.weight(1)}));
  call.charge(shape);
  const auto slope = call.weight(1, "as " + to_string(shape), reshaped(call.tensor(1), shape));
  call.define(0, call.emit("prelu", {call.value(0), slope}));
}

/// Before opset 13 all axes from `axis` on are one.
template <const char* op>
void normalized(Call& call) {
  const auto rank = call.rank(0);
  const auto axis =
      call.axis(call.integer("axis", call.opset() < 13 ? 1 : -1), std::max<std::int64_t>(rank, 1));
  const auto shape = call.shape(0);
  const auto inner = product(shape, static_cast<std::size_t>(axis), shape.size());
  if (call.opset() >= 13 || shape[static_cast<std::size_t>(axis)] == inner)
    return call.define(0, call.emit(op, {call.value(0)}, {{"axis", axis}}));
  Shape flat(shape.begin(), shape.begin() + axis);
  flat.push_back(inner);
  const auto rows = reshape(call, call.value(0), flat, "flat");
  const auto result = call.emit(op, {rows}, {{"axis", axis}}, "rows");
  call.define(0, reshape(call, result, shape, ""));
}

/// Does nothing when the network runs; training finds the rate.
void dropout(Call& call) {
  if (call.has(2) && (!call.is_constant(2) || call.number(2) != 0))
    call.refuse("training_mode", "inference", "export the model in evaluation mode");
  const auto rate = call.opset() < 12 ? call.number("ratio", 0.5) : call.has(1) ? call.number(1) : 0.5;
  if (!(rate >= 0 && rate < 1)) call.refuse(fmt::format("a ratio of {}", rate), "0 to below 1");
  if (call.wants(0)) call.define(0, call.emit("dropout", {call.value(0)}, {{"rate", rate}}));
}

constexpr char kRelu[] = "relu", kSigmoid[] = "sigmoid", kTanh[] = "tanh", kHardSwish[] = "hard_swish",
               kMish[] = "mish", kSoftsign[] = "softsign", kExp[] = "exp", kLog[] = "log", kSqrt[] = "sqrt",
               kReciprocal[] = "reciprocal", kAbs[] = "abs", kNeg[] = "neg", kErf[] = "erf", kSin[] = "sin",
               kCos[] = "cos", kFloor[] = "floor", kCeil[] = "ceil", kRound[] = "round", kSign[] = "sign",
               kIdentity[] = "identity", kAdd[] = "add", kSub[] = "sub", kMul[] = "mul", kDiv[] = "div",
               kPow[] = "pow", kMax[] = "maximum", kMin[] = "minimum", kSoftmax[] = "softmax",
               kLogSoftmax[] = "log_softmax";

}  // namespace

std::vector<Operator> elementwise_operators() {
  return {{"Abs", unary<kAbs>},
          {"Add", binary<kAdd>},
          {"Ceil", unary<kCeil>},
          {"Celu", celu},
          {"Clip", clip},
          {"Cos", unary<kCos>},
          {"Div", binary<kDiv>},
          {"Dropout", dropout},
          {"Elu", elu},
          {"Erf", unary<kErf>},
          {"Exp", unary<kExp>},
          {"Floor", unary<kFloor>},
          {"Gelu", gelu},
          {"HardSigmoid", hard_sigmoid},
          {"HardSwish", unary<kHardSwish>},
          {"Identity", unary<kIdentity>},
          {"LeakyRelu", leaky_relu},
          {"Log", unary<kLog>},
          {"LogSoftmax", normalized<kLogSoftmax>},
          {"Max", variadic<kMax>},
          {"Mean", mean},
          {"Min", variadic<kMin>},
          {"Mish", unary<kMish>},
          {"Mul", binary<kMul>},
          {"Neg", unary<kNeg>},
          {"PRelu", prelu},
          {"Pow", binary<kPow>},
          {"Reciprocal", unary<kReciprocal>},
          {"Relu", unary<kRelu>},
          {"Round", unary<kRound>},
          {"Selu", selu},
          {"Sigmoid", unary<kSigmoid>},
          {"Sign", unary<kSign>},
          {"Sin", unary<kSin>},
          {"Softmax", normalized<kSoftmax>},
          {"Softplus", softplus},
          {"Softsign", unary<kSoftsign>},
          {"Sqrt", unary<kSqrt>},
          {"Sub", binary<kSub>},
          {"Sum", variadic<kAdd>},
          {"Tanh", unary<kTanh>},
          {"ThresholdedRelu", thresholded_relu}};
}

}  // namespace compress::onnx
