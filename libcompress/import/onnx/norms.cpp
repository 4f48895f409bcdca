#include <fmt/format.h>

#include <cmath>

#include "libcompress/import/onnx/compose.h"
#include "libcompress/import/onnx/operators.h"

namespace compress::onnx {
namespace {

using Values = std::vector<ValueId>;

void batch_norm(Call& call) {
  if (call.integer("training_mode", 0) != 0)
    call.refuse("training_mode", "inference", "export the model in evaluation mode");
  if (call.opset() < 9 && call.integer("spatial", 1) == 0) call.refuse("spatial = 0", "statistics a channel");
  const Values inputs{call.value(0), call.weight(1), call.weight(2), call.running(3), call.running(4)};
  call.define(0, call.emit("batch_norm", inputs,
                           {{"epsilon", call.number("epsilon", 1e-5f)},
                            {"momentum", 1.0 - call.number("momentum", 0.9f)}}));
}

/// Input `i` broadcast to `shape`, which a computed one must have already.
ValueId weight_of_shape(const Call& call, std::size_t i, const Shape& shape) {
  if (call.shape(i) == shape) return call.weight(i);
  if (!call.is_constant(i) || broadcast(call.shape(i), shape) != shape)
    call.refuse(fmt::format("input {} of shape {}", i, to_string(call.shape(i))), to_string(shape));
  call.charge(shape);
  return call.weight(i, "as " + to_string(shape), expanded(call.tensor(i).to_float32(), shape));
}

ValueId reduce_mean(Call& call, ValueId value, const Integers& axes, const std::string& part) {
  return call.emit("reduce_mean", {value}, {{"axes", axes}, {"keep", true}}, part);
}

Integers axes_from(std::int64_t first, std::int64_t rank) {
  Integers axes;
  for (auto i = first; i < rank; ++i) axes.push_back(i);
  return axes;
}

/// Mean and 1 / sqrt(variance + epsilon), which are outputs 1 and 2.
void define_statistics(Call& call, ValueId input, const Integers& axes, double epsilon) {
  if (!call.wants(1) && !call.wants(2)) return;
  const auto mean = reduce_mean(call, input, axes, "mean");
  call.define(1, mean);
  if (!call.wants(2)) return;
  const auto centered = call.emit("sub", {input, mean}, {}, "centered");
  const auto squared = call.emit("mul", {centered, centered}, {}, "squared");
  const auto variance = reduce_mean(call, squared, axes, "variance");
  call.define(2,
              call.emit("rsqrt", {with_number(call, "add", variance, epsilon, "shifted")}, {}, "deviation"));
}

void layer_norm(Call& call) {
  const auto rank = call.rank(0);
  const auto axis = call.axis(call.integer("axis", -1), rank);
  const auto epsilon = call.number("epsilon", 1e-5f);
  const Shape normalized(call.shape(0).begin() + axis, call.shape(0).end());
  Values inputs{call.value(0)};
  if (call.has(1)) inputs.push_back(weight_of_shape(call, 1, normalized));
  if (call.has(2)) inputs.push_back(weight_of_shape(call, 2, normalized));
  call.define(0, call.emit("layer_norm", inputs, {{"axis", axis}, {"epsilon", epsilon}}));
  define_statistics(call, inputs[0], axes_from(axis, rank), epsilon);
}

/// Before opset 21 scale and bias hold one number a group.
ValueId channel_weight(const Call& call, std::size_t i, std::int64_t channels, std::int64_t groups) {
  if (call.shape(i) == Shape{channels} || call.opset() >= 21) return call.weight(i);
  if (call.shape(i) != Shape{groups})
    call.refuse(fmt::format("input {} of shape {}", i, to_string(call.shape(i))), to_string({groups}));
  call.charge({channels});
  const auto per_group =
      expanded(reshaped(call.tensor(i).to_float32(), {groups, 1}), {groups, channels / groups});
  return call.weight(i, "a channel", reshaped(per_group, {channels}));
}

void group_norm(Call& call) {
  if (call.rank(0) < 2) call.refuse("input of shape " + to_string(call.shape(0)), "a batch and channels");
  const auto groups = call.integer("num_groups", 0);
  const auto channels = call.shape(0)[1];
  if (groups < 1 || channels % groups != 0)
    call.refuse(fmt::format("{} groups for {} channels", groups, channels), "a divisor");
  call.define(0, call.emit("group_norm",
                           {call.value(0), channel_weight(call, 1, channels, groups),
                            channel_weight(call, 2, channels, groups)},
                           {{"groups", groups}, {"epsilon", call.number("epsilon", 1e-5f)}}));
}

void instance_norm(Call& call) {
  call.define(0, call.emit("instance_norm", {call.value(0), call.weight(1), call.weight(2)},
                           {{"epsilon", call.number("epsilon", 1e-5f)}}));
}

/// x / sqrt(mean(x^2) + epsilon) * scale
void rms_norm(Call& call) {
  const auto rank = call.rank(0);
  const auto axes = axes_from(call.axis(call.integer("axis", -1), rank), rank);
  const auto input = call.value(0);
  const auto mean = reduce_mean(call, call.emit("mul", {input, input}, {}, "squared"), axes, "mean");
  const auto shifted = with_number(call, "add", mean, call.number("epsilon", 1e-5f), "shifted");
  const auto normalized =
      call.emit("mul", {input, call.emit("rsqrt", {shifted}, {}, "scale")}, {}, "normalized");
  call.define(0, call.emit("mul", {normalized, call.weight(1)}));
}

/// (x - mean) / (sqrt(mean((x - mean)^2)) + 1e-9)
void mean_variance_norm(Call& call) {
  const auto rank = call.rank(0);
  auto axes = call.integers("axes", {0, 2, 3});
  for (auto& axis : axes) axis = call.axis(axis, rank);
  const auto input = call.value(0);
  const auto centered = call.emit("sub", {input, reduce_mean(call, input, axes, "mean")}, {}, "centered");
  const auto squared = call.emit("mul", {centered, centered}, {}, "squared");
  const auto deviation = call.emit("sqrt", {reduce_mean(call, squared, axes, "variance")}, {}, "deviation");
  call.define(0, call.emit("div", {centered, with_number(call, "add", deviation, 1e-9, "shifted")}));
}

void lp_norm(Call& call) {
  const auto p = call.integer("p", 2);
  if (p != 1 && p != 2) call.refuse(fmt::format("p = {}", p), "1, 2");
  const Integers axes{call.axis(call.integer("axis", -1), call.rank(0))};
  const auto norm = call.emit(p == 1 ? "reduce_l1" : "reduce_l2", {call.value(0)},
                              {{"axes", axes}, {"keep", true}}, "norm");
  call.define(0, call.emit("div", {call.value(0), norm}));
}

/// x / (bias + alpha * mean over a window of channels of x^2)^beta: the window is that of an average pool
/// over the channels, laid out as rows.
void local_response_norm(Call& call) {
  const auto& shape = call.shape(0);
  const auto size = call.integer("size", 0);
  if (shape.size() < 3 || size < 1 || size > (std::int64_t{1} << 20))
    call.refuse(fmt::format("size {} over shape {}", size, to_string(shape)), "a window over channels");
  const auto input = call.value(0);
  const auto squared = call.emit("mul", {input, input}, {}, "squared");
  const auto rows = reshape(call, squared, {shape[0], 1, shape[1], product(shape, 2, shape.size())}, "rows");
  const auto padded = pad(call, rows, {0, 0, (size - 1) / 2, 0, 0, 0, size / 2, 0}, "constant", 0, "padded");
  const auto pooled = call.emit("avg_pool", {padded},
                                {{"kernel", Integers{size, 1}},
                                 {"stride", Integers{1, 1}},
                                 {"padding", Integers(4, 0)},
                                 {"ceil", false},
                                 {"count_padding", true}},
                                "pooled");
  const auto mean = reshape(call, pooled, shape, "mean");
  const auto scaled = with_number(call, "mul", mean, call.number("alpha", 1e-4f), "scaled");
  const auto shifted = with_number(call, "add", scaled, call.number("bias", 1.0f), "shifted");
  const auto divisor = with_number(call, "pow", shifted, call.number("beta", 0.75f), "divisor");
  call.define(0, call.emit("div", {input, divisor}));
}

}  // namespace

std::vector<Operator> norm_operators() {
  return {{"BatchNormalization", batch_norm},
          {"GroupNormalization", group_norm},
          {"InstanceNormalization", instance_norm},
          {"LRN", local_response_norm},
          {"LayerNormalization", layer_norm},
          {"LpNormalization", lp_norm},
          {"MeanVarianceNormalization", mean_variance_norm},
          {"RMSNormalization", rms_norm}};
}

}  // namespace compress::onnx
