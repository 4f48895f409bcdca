#include "libcompress/quant/lower/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "libcompress/quant/lower/operators.h"

namespace compress::lowering {
namespace {

/// One scale an output channel: the smallest that holds the largest weight, but not so small that the bias
/// would leave int32 or that a dead channel's factor would vanish.
std::vector<float> weight_scales(const FloatWeights& from, const QValue& x, const QValue& y) {
  const double floor = static_cast<double>(y.scale) / x.scale * 0x1p-20;
  std::vector<float> scales;
  const auto an_output = from.weights.size() / from.bias.size();
  for (std::size_t o = 0; o < from.bias.size(); ++o) {
    double largest = 0;
    for (std::size_t i = 0; i < an_output; ++i)
      largest = std::max(largest, std::abs(static_cast<double>(from.weights[o * an_output + i])));
    const double for_bias = std::abs(static_cast<double>(from.bias[o])) / (x.scale * 0x1p30);
    scales.push_back(
        static_cast<float>(std::max({largest / 127, floor, for_bias, static_cast<double>(FLT_MIN)})));
  }
  return scales;
}

Tensor quantized_weights(const FloatWeights& from, const std::vector<float>& scales) {
  Tensor tensor(DType::int8, from.shape);
  const auto to = tensor.as<std::int8_t>();
  const auto an_output = to.size() / scales.size();
  for (std::size_t i = 0; i < to.size(); ++i) {
    const double ratio = static_cast<double>(from.weights[i]) / scales[i / an_output];
    to[i] = static_cast<std::int8_t>(std::clamp(std::round(ratio), -127.0, 127.0));
  }
  return tensor;
}

Tensor quantized_bias(const FloatWeights& from, const std::vector<float>& scales, float input_scale) {
  Tensor tensor(DType::int32, {static_cast<std::int64_t>(scales.size())});
  const auto to = tensor.as<std::int32_t>();
  for (std::size_t o = 0; o < to.size(); ++o) {
    const double steps = from.bias[o] / (static_cast<double>(input_scale) * scales[o]);
    to[o] = static_cast<std::int32_t>(std::clamp(std::round(steps), -0x1p31 + 1, 0x1p31 - 1));
  }
  return tensor;
}

}  // namespace

std::vector<float> bias_of(Lowering& to, const Node& node, std::int64_t outputs) {
  if (node.inputs.size() < 3) return std::vector<float>(static_cast<std::size_t>(outputs), 0.0f);
  const auto bias = to.weight(node.inputs[2]);
  return {bias.begin(), bias.end()};
}

template <typename Op>
QValueId add_weighted(Lowering& to, const Node& node, Op op, QValueId x, const FloatWeights& from,
                      const std::string& name, Shape shape) {
  const auto y = to.add_activation(name, std::move(shape), to.chosen_scale(to.result_of(node)));
  auto scales = weight_scales(from, to.value(x), to.value(y));
  if (to.shares_one_scale(node))
    scales.assign(scales.size(), *std::max_element(scales.begin(), scales.end()));
  std::vector<float> bias_scales;
  for (const auto scale : scales) bias_scales.push_back(to.value(x).scale * scale);
  const auto w = to.add_constant(node.name + ".weight", quantized_weights(from, scales), scales);
  const auto b =
      to.add_constant(node.name + ".bias", quantized_bias(from, scales, to.value(x).scale), bias_scales);
  for (std::size_t o = 0; o < scales.size(); ++o) {
    const double factor = weight_factor(to.value(x), to.value(w), o, to.value(y));
    if (!(factor < 0x1p30)) {
      refuse(node,
             fmt::format("weights of output {} so large that one step is {} steps of the result", o, factor),
             "below 2^30", "calibrate with inputs that drive this layer");
    }
    op.requantization.push_back(to_requantization(factor));
  }
  to.join_clamp(node, op, {to.value(y).scale, to.value(y).zero_point});
  return to.add_node(node.name, std::move(op), {x, w, b}, y);
}
template QValueId add_weighted(Lowering&, const Node&, QConv, QValueId, const FloatWeights&,
                               const std::string&, Shape);
template QValueId add_weighted(Lowering&, const Node&, QLinear, QValueId, const FloatWeights&,
                               const std::string&, Shape);

namespace {

/// [O, C, taps] to [O, taps, C].
std::vector<float> channels_last(std::span<const float> from, std::int64_t outputs, std::int64_t channels) {
  std::vector<float> to;
  to.reserve(from.size());
  const auto c_count = static_cast<std::size_t>(channels);
  const auto taps = from.size() / static_cast<std::size_t>(outputs) / c_count;
  for (std::size_t o = 0; o < static_cast<std::size_t>(outputs); ++o) {
    for (std::size_t t = 0; t < taps; ++t) {
      for (std::size_t c = 0; c < c_count; ++c) to.push_back(from[(o * c_count + c) * taps + t]);
    }
  }
  return to;
}

void add_image_result(Lowering& to, const Node& node, QConv op, QValueId x, const FloatWeights& from) {
  const auto result = to.result_of(node);
  const auto axes = canonical_order(to.rank(result));
  const auto y =
      add_weighted(to, node, std::move(op), x, from, to.name_in(result, axes), to.shape_in(result, axes));
  to.set_form(result, {y, axes});
}

void conv(Lowering& to, const Node& node) {
  const auto& shape = to.shape(node.inputs[1]);
  QConv op;
  op.window = window_of(node, std::span(shape).subspan(2));
  op.groups = static_cast<std::int32_t>(node.attributes.integer("groups"));
  FloatWeights from;
  from.shape = {shape[0], op.window.kernel[0], op.window.kernel[1], shape[1]};
  from.weights = channels_last(to.weight(node.inputs[1]), shape[0], shape[1]);
  from.bias = bias_of(to, node, shape[0]);
  add_image_result(to, node, op, to.canonical(node.inputs[0]), from);
}

/// A batch norm that found no layer to fold into: a depthwise 1x1 convolution.
void norm(Lowering& to, const Node& node) {
  const auto gamma = to.weight(node.inputs[1]);
  const auto beta = to.weight(node.inputs[2]);
  const auto mean = to.weight(node.inputs[3]);
  const auto variance = to.weight(node.inputs[4]);
  const double epsilon = node.attributes.number("epsilon");
  const auto channels = static_cast<std::int64_t>(gamma.size());
  FloatWeights from;
  from.shape = {channels, 1, 1, 1};
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    const double factor = gamma[c] / std::sqrt(variance[c] + epsilon);
    from.weights.push_back(static_cast<float>(factor));
    from.bias.push_back(static_cast<float>(beta[c] - mean[c] * factor));
    if (!std::isfinite(from.weights.back()) || !std::isfinite(from.bias.back()))
      refuse(node, "a batch norm that is not finite",
             "running variances of 0 or more with a sensible epsilon", "");
  }
  QConv op;
  op.groups = static_cast<std::int32_t>(channels);
  const auto x = to.canonical(node.inputs[0]);
  if (to.rank(node.inputs[0]) == 3 || to.rank(node.inputs[0]) == 4)
    return add_image_result(to, node, op, x, from);
  if (to.rank(node.inputs[0]) != 2)
    refuse(node, fmt::format("an input of {} axes", to.rank(node.inputs[0])), "2 to 4",
           "keep the network in float32");
  const auto image =
      to.add_same_scale(node.name + "/reshape", QReshape{}, x, node.name + "/image", {1, 1, 1, channels});
  const auto result = to.result_of(node);
  const auto y = add_weighted(to, node, op, image, from, node.name + "/image_result", {1, 1, 1, channels});
  const auto flat =
      to.add_same_scale(node.name + "/reshape", QReshape{}, y, to.graph().value(result).name, {1, channels});
  to.set_form(result, {flat, natural_order(2)});
}

void linear(Lowering& to, const Node& node) {
  const auto& shape = to.shape(node.inputs[1]);
  const auto x = to.natural(node.inputs[0]);
  FloatWeights from;
  from.shape = shape;
  const auto weights = to.weight(node.inputs[1]);
  from.weights.assign(weights.begin(), weights.end());
  if (const auto* columns = to.columns_of(node.inputs[0])) {
    const auto features = columns->size();
    for (std::size_t i = 0; i < weights.size(); ++i)
      from.weights[i] = weights[i / features * features + (*columns)[i % features]];
  }
  from.bias = bias_of(to, node, shape[0]);
  const auto result = to.result_of(node);
  const auto axes = natural_order(to.rank(result));
  const auto y =
      add_weighted(to, node, QLinear{}, x, from, to.name_in(result, axes), to.shape_in(result, axes));
  to.set_form(result, {y, axes});
}

}  // namespace

std::vector<Operator> weighted_operators() {
  constexpr auto kWeights = Operator::Operands::weights_behind_first;
  return {{"batch_norm", norm, kWeights}, {"conv", conv, kWeights}, {"linear", linear, kWeights}};
}

}  // namespace compress::lowering
