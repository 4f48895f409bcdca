// Activations, functions of two values, softmax, dropout.
#include <ATen/ops/abs.h>
#include <ATen/ops/add.h>
#include <ATen/ops/ceil.h>
#include <ATen/ops/celu.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/div.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/erf.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/floor.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gt.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/mish.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/neg.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/round.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/selu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/where.h>

#include "libcompress/runtime/kernel_families.h"

namespace compress {
namespace {

double number(const KernelCall& call, std::string_view name) { return call.attributes.number(name); }

at::Tensor hard_sigmoid(const KernelCall& call) {
  return at::clamp(at::add(at::mul(call.inputs[0], number(call, "alpha")), number(call, "beta")), 0, 1);
}

at::Tensor gelu(const KernelCall& call) {
  return at::gelu(call.inputs[0], call.attributes.boolean("tanh") ? "tanh" : "none");
}

at::Tensor softsign(const KernelCall& call) {
  return at::div(call.inputs[0], at::add(at::abs(call.inputs[0]), 1));
}

at::Tensor prelu(const KernelCall& call) {
  const auto& x = call.inputs[0];
  return at::where(at::gt(x, 0), x, at::mul(x, call.inputs[1]));
}

/// Draws from the call's own generator, so that a training step depends on its seed alone.
at::Tensor dropout(const KernelCall& call) {
  const double kept = 1 - call.attributes.number("rate");
  if (call.mode == Mode::evaluate || kept >= 1) return call.inputs[0];
  const auto mask = at::empty_like(call.inputs[0]).bernoulli_(kept, call.generator).div_(kept);
  return at::mul(call.inputs[0], mask);
}

}  // namespace

Kernels elementwise_kernels() {
  using Call = const KernelCall&;
  return {
      {"relu", [](Call c) { return at::relu(c.inputs[0]); }},
      {"relu6", [](Call c) { return at::clamp(c.inputs[0], 0, 6); }},
      {"sigmoid", [](Call c) { return at::sigmoid(c.inputs[0]); }},
      {"tanh", [](Call c) { return at::tanh(c.inputs[0]); }},
      {"hard_sigmoid", hard_sigmoid},
      {"hard_swish", [](Call c) { return at::hardswish(c.inputs[0]); }},
      {"silu", [](Call c) { return at::silu(c.inputs[0]); }},
      {"mish", [](Call c) { return at::mish(c.inputs[0]); }},
      {"gelu", gelu},
      {"elu", [](Call c) { return at::elu(c.inputs[0], number(c, "alpha")); }},
      {"celu", [](Call c) { return at::celu(c.inputs[0], number(c, "alpha")); }},
      {"selu", [](Call c) { return at::selu(c.inputs[0]); }},
      {"leaky_relu", [](Call c) { return at::leaky_relu(c.inputs[0], number(c, "slope")); }},
      {"softplus", [](Call c) { return at::softplus(c.inputs[0], number(c, "beta")); }},
      {"softsign", softsign},
      {"log_sigmoid", [](Call c) { return at::log_sigmoid(c.inputs[0]); }},
      {"exp", [](Call c) { return at::exp(c.inputs[0]); }},
      {"log", [](Call c) { return at::log(c.inputs[0]); }},
      {"sqrt", [](Call c) { return at::sqrt(c.inputs[0]); }},
      {"rsqrt", [](Call c) { return at::rsqrt(c.inputs[0]); }},
      {"reciprocal", [](Call c) { return at::reciprocal(c.inputs[0]); }},
      {"abs", [](Call c) { return at::abs(c.inputs[0]); }},
      {"neg", [](Call c) { return at::neg(c.inputs[0]); }},
      {"erf", [](Call c) { return at::erf(c.inputs[0]); }},
      {"sin", [](Call c) { return at::sin(c.inputs[0]); }},
      {"cos", [](Call c) { return at::cos(c.inputs[0]); }},
      {"floor", [](Call c) { return at::floor(c.inputs[0]); }},
      {"ceil", [](Call c) { return at::ceil(c.inputs[0]); }},
      {"round", [](Call c) { return at::round(c.inputs[0]); }},
      {"sign", [](Call c) { return at::sign(c.inputs[0]); }},
      {"clip", [](Call c) { return at::clamp(c.inputs[0], number(c, "min"), number(c, "max")); }},
      {"prelu", prelu},
      {"dropout", dropout},
      {"identity", [](Call c) { return c.inputs[0]; }},
      {"softmax", [](Call c) { return at::softmax(c.inputs[0], c.attributes.integer("axis")); }},
      {"log_softmax", [](Call c) { return at::log_softmax(c.inputs[0], c.attributes.integer("axis")); }},
      {"add", [](Call c) { return at::add(c.inputs[0], c.inputs[1]); }},
      {"sub", [](Call c) { return at::sub(c.inputs[0], c.inputs[1]); }},
      {"mul", [](Call c) { return at::mul(c.inputs[0], c.inputs[1]); }},
      {"div", [](Call c) { return at::div(c.inputs[0], c.inputs[1]); }},
      {"pow", [](Call c) { return at::pow(c.inputs[0], c.inputs[1]); }},
      {"maximum", [](Call c) { return at::maximum(c.inputs[0], c.inputs[1]); }},
      {"minimum", [](Call c) { return at::minimum(c.inputs[0], c.inputs[1]); }},
  };
}

}  // namespace compress
