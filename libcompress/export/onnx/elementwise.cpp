#include "libcompress/export/onnx/lowering.h"

namespace compress::onnx_export {
namespace {

/// The same operator under ONNX's name, its operands in the same order.
LoweringRow plain(std::string op, std::string onnx_op) {
  return {std::move(op), [onnx_op = std::move(onnx_op)](Lowering& at) { at.finish(onnx_op, at.inputs()); }};
}

/// The same operator with one number as attribute.
LoweringRow with_number(std::string op, std::string onnx_op, std::string ours, std::string theirs) {
  return {std::move(op),
          [=](Lowering& at) { at.finish(onnx_op, at.inputs(), {{theirs, at.attributes().number(ours)}}); }};
}

LoweringRow along_axis(std::string op, std::string onnx_op) {
  return {std::move(op), [onnx_op = std::move(onnx_op)](Lowering& at) {
            at.finish(onnx_op, at.inputs(), {{"axis", at.attributes().integer("axis")}});
          }};
}

void lower_relu6(Lowering& at) { at.finish("Clip", {at.input(0), at.scalar("min", 0), at.scalar("max", 6)}); }

void lower_clip(Lowering& at) {
  const auto low = at.scalar("min", at.attributes().number("min"));
  at.finish("Clip", {at.input(0), low, at.scalar("max", at.attributes().number("max"))});
}

void lower_silu(Lowering& at) {
  at.finish("Mul", {at.input(0), at.add("Sigmoid", "sigmoid", at.output_info(), {at.input(0)})});
}

void lower_rsqrt(Lowering& at) {
  at.finish("Reciprocal", {at.add("Sqrt", "root", at.output_info(), {at.input(0)})});
}

/// log(sigmoid(x)) = -softplus(-x)
void lower_log_sigmoid(Lowering& at) {
  const auto negative = at.add("Neg", "negative", at.output_info(), {at.input(0)});
  at.finish("Neg", {at.add("Softplus", "softplus", at.output_info(), {negative})});
}

/// softplus(beta x) / beta
void lower_softplus(Lowering& at) {
  const double beta = at.attributes().number("beta");
  if (beta == 1) return at.finish("Softplus", at.inputs());
  const auto factor = at.scalar("beta", beta);
  const auto scaled = at.add("Mul", "scaled", at.output_info(), {at.input(0), factor});
  at.finish("Div", {at.add("Softplus", "softplus", at.output_info(), {scaled}), factor});
}

void lower_gelu(Lowering& at) {
  at.finish("Gelu", at.inputs(), {{"approximate", at.attributes().boolean("tanh") ? "tanh" : "none"}});
}

void lower_hard_sigmoid(Lowering& at) {
  at.finish("HardSigmoid", at.inputs(),
            {{"alpha", at.attributes().number("alpha")}, {"beta", at.attributes().number("beta")}});
}

/// Left in for whoever trains on; without its flag of training it does nothing.
void lower_dropout(Lowering& at) {
  at.finish("Dropout", {at.input(0), at.scalar("ratio", at.attributes().number("rate"))});
}

}  // namespace

std::vector<LoweringRow> elementwise_lowerings() {
  return {
      plain("relu", "Relu"),
      plain("sigmoid", "Sigmoid"),
      plain("tanh", "Tanh"),
      plain("hard_swish", "HardSwish"),
      plain("mish", "Mish"),
      plain("softsign", "Softsign"),
      plain("selu", "Selu"),
      plain("exp", "Exp"),
      plain("log", "Log"),
      plain("sqrt", "Sqrt"),
      plain("reciprocal", "Reciprocal"),
      plain("abs", "Abs"),
      plain("neg", "Neg"),
      plain("erf", "Erf"),
      plain("sin", "Sin"),
      plain("cos", "Cos"),
      plain("floor", "Floor"),
      plain("ceil", "Ceil"),
      plain("round", "Round"),
      plain("sign", "Sign"),
      plain("identity", "Identity"),
      plain("add", "Add"),
      plain("sub", "Sub"),
      plain("mul", "Mul"),
      plain("div", "Div"),
      plain("pow", "Pow"),
      plain("maximum", "Max"),
      plain("minimum", "Min"),
      plain("prelu", "PRelu"),
      with_number("elu", "Elu", "alpha", "alpha"),
      with_number("celu", "Celu", "alpha", "alpha"),
      with_number("leaky_relu", "LeakyRelu", "slope", "alpha"),
      along_axis("softmax", "Softmax"),
      along_axis("log_softmax", "LogSoftmax"),
      {"relu6", lower_relu6},
      {"clip", lower_clip},
      {"silu", lower_silu},
      {"rsqrt", lower_rsqrt},
      {"log_sigmoid", lower_log_sigmoid},
      {"softplus", lower_softplus},
      {"gelu", lower_gelu},
      {"hard_sigmoid", lower_hard_sigmoid},
      {"dropout", lower_dropout},
  };
}

}  // namespace compress::onnx_export
