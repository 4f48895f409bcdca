#include "tests/export/graphs.h"

#include <cmath>
#include <utility>

#include "libcompress/quant/reference.h"
#include "libcompress/quant/tables.h"

namespace compress::testing_graphs {
namespace {

Window window_of(std::int32_t height, std::int32_t width, std::int32_t stride = 1, std::int32_t padding = 0) {
  Window window;
  window.kernel[0] = height, window.kernel[1] = width;
  window.stride[0] = window.stride[1] = stride;
  window.pad_begin[0] = window.pad_begin[1] = window.pad_end[0] = window.pad_end[1] = padding;
  return window;
}

}  // namespace

Builder::Builder(std::uint64_t seed, const Shape& input, std::string profile) : random_(seed) {
  graph_.name = "network";
  graph_.profile = std::move(profile);
  graph_.inputs = {activation(input, 0.02f)};
}

QValueId Builder::activation(const Shape& shape, float scale, DType dtype) {
  QValue value;
  value.id = QValueId(graph_.values.size());
  value.name = "value " + std::to_string(graph_.values.size());
  value.shape = shape;
  value.dtype = dtype;
  value.scale = scale;
  if (dtype == DType::int8) value.zero_point = static_cast<std::int32_t>(random_.below(256)) - 128;
  graph_.values.push_back(std::move(value));
  return graph_.values.back().id;
}

QValueId Builder::same_scale(QValueId x, const Shape& shape) {
  const auto id = activation(shape, graph_.value(x).scale, dtype(x));
  graph_.values[index_of(id)].zero_point = graph_.value(x).zero_point;
  return id;
}

template <typename Op>
Op Builder::limited(Clamp clamp, QValueId output) const {
  const bool wide = dtype(output) == DType::int16;
  Op op;
  op.clamp_min = wide ? 256 * clamp.lowest : clamp.lowest;
  op.clamp_max = wide ? 256 * clamp.highest + 255 : clamp.highest;
  return op;
}

QValueId Builder::node(QOp op, const std::vector<QValueId>& inputs, QValueId output) {
  graph_.nodes.push_back({"node " + std::to_string(graph_.nodes.size()), std::move(op), inputs, output});
  return output;
}

Shape Builder::window_shape(QValueId x, const Window& window, std::int64_t channels) const {
  Shape result = {1, 0, 0, channels};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto span = (window.kernel[i] - 1) * window.dilation[i] + 1;
    result[i + 1] = (shape(x)[i + 1] + window.pad_begin[i] + window.pad_end[i] - span) / window.stride[i] + 1;
  }
  return result;
}

/// A scale for a sum of `terms` products that spreads the outputs over most of int8, now and then far too
/// fine or coarse. Weights have scales near 0.01.
float Builder::weighted_scale(QValueId x, std::int64_t terms) {
  const double spread = random_.below(8) == 0 ? random_.uniform(0.02, 8.0) : random_.uniform(0.6, 1.6);
  return static_cast<float>(static_cast<double>(graph_.value(x).scale) * 0.01 * 90.0 *
                            std::sqrt(static_cast<double>(terms)) * spread);
}

std::vector<Requantization> Builder::weights(QValueId x, const Shape& shape, QValueId output,
                                             std::vector<QValueId>& inputs, Scales scales) {
  QValue weight;
  weight.id = QValueId(graph_.values.size());
  weight.name = "weight " + std::to_string(graph_.values.size());
  weight.shape = shape;
  weight.constant = Tensor(DType::int8, shape);
  for (auto& each : weight.constant.as<std::int8_t>())
    each = static_cast<std::int8_t>(random_.below(255) - 127);
  QValue bias;
  bias.id = QValueId(graph_.values.size() + 1);
  bias.name = "bias " + std::to_string(graph_.values.size());
  const bool wide = dtype(x) == DType::int16;
  bias.dtype = wide ? DType::int64 : DType::int32;
  bias.shape = {shape[0]};
  bias.constant = Tensor(bias.dtype, bias.shape);
  const auto outputs = static_cast<std::size_t>(shape[0]);
  for (std::size_t o = 0; o < outputs; ++o) {
    const auto level = random_.below(20001) - 10000;
    if (wide)
      bias.constant.as<std::int64_t>()[o] = 256 * level;
    else
      bias.constant.as<std::int32_t>()[o] = static_cast<std::int32_t>(level);
  }
  if (scales == Scales::one) {
    weight.scale = static_cast<float>(random_.uniform(0.005, 0.015));
    bias.scale = graph_.value(x).scale * weight.scale;
  } else {
    for (std::size_t o = 0; o < outputs; ++o)
      weight.channel_scales.push_back(static_cast<float>(random_.uniform(0.005, 0.015)));
    for (const auto scale : weight.channel_scales)
      bias.channel_scales.push_back(graph_.value(x).scale * scale);
  }
  std::vector<Requantization> requantization;
  for (std::size_t o = 0; o < outputs; ++o)
    requantization.push_back(
        to_requantization(weight_factor(graph_.value(x), weight, o, graph_.value(output))));
  inputs = {x, weight.id, bias.id};
  graph_.values.push_back(std::move(weight));
  graph_.values.push_back(std::move(bias));
  return requantization;
}

QValueId Builder::conv(QValueId x, std::int64_t channels, const Window& window, std::int32_t groups,
                       Clamp clamp) {
  const Shape weight = {channels, window.kernel[0], window.kernel[1], shape(x)[3] / groups};
  const auto scale = weighted_scale(x, element_count(weight) / channels);
  const auto output = activation(window_shape(x, window, channels), scale, dtype(x));
  auto conv = limited<QConv>(clamp, output);
  conv.window = window;
  conv.groups = groups;
  std::vector<QValueId> inputs;
  conv.requantization = weights(x, weight, output, inputs);
  return node(std::move(conv), inputs, output);
}

QValueId Builder::linear(QValueId x, std::int64_t outputs, Clamp clamp) {
  Shape result = shape(x);
  const Shape weight = {outputs, result.back()};
  result.back() = outputs;
  const auto output = activation(result, weighted_scale(x, weight[1]), dtype(x));
  auto linear = limited<QLinear>(clamp, output);
  std::vector<QValueId> inputs;
  const auto scales = random_.below(2) == 0 ? Scales::one : Scales::one_a_channel;
  linear.requantization = weights(x, weight, output, inputs, scales);
  return node(std::move(linear), inputs, output);
}

QValueId Builder::max_pool(QValueId x, const Window& window, Clamp clamp) {
  const auto output = same_scale(x, window_shape(x, window, shape(x)[3]));
  auto pool = limited<QMaxPool>(clamp, output);
  pool.window = window;
  return node(pool, {x}, output);
}

QValueId Builder::average_pool(QValueId x, const Window& window, Clamp clamp) {
  const auto output = same_scale(x, window_shape(x, window, shape(x)[3]));
  auto pool = limited<QAvgPool>(clamp, output);
  pool.window = window;
  return node(pool, {x}, output);
}

QValueId Builder::constant(const Shape& shape) {
  const auto id = activation(shape, static_cast<float>(random_.uniform(0.005, 0.03)));
  auto& value = graph_.values.back();
  value.constant = Tensor(DType::int8, shape);
  for (auto& each : value.constant.as<std::int8_t>())
    each = static_cast<std::int8_t>(random_.below(256) - 128);
  return id;
}

QValueId Builder::add(QValueId x, QValueId y, Clamp clamp) { return sum(x, y, false, clamp); }
QValueId Builder::subtract(QValueId x, QValueId y, Clamp clamp) { return sum(x, y, true, clamp); }

QValueId Builder::sum(QValueId x, QValueId y, bool subtract, Clamp clamp) {
  const auto finer = std::max(graph_.value(x).scale, graph_.value(y).scale);
  const auto output = activation(broadcast_of(shape(x), shape(y)),
                                 finer * static_cast<float>(random_.uniform(0.8, 2.0)), dtype(x));
  auto op = add_for(graph_.value(x), graph_.value(y), graph_.value(output));
  op.subtract = subtract;
  const auto limits = limited<QAdd>(clamp, output);
  op.clamp_min = limits.clamp_min, op.clamp_max = limits.clamp_max;
  return node(op, {x, y}, output);
}

QValueId Builder::multiply(QValueId x, QValueId y, Clamp clamp) {
  const auto scale = graph_.value(x).scale * graph_.value(y).scale;
  const auto output =
      activation(broadcast_of(shape(x), shape(y)), scale * static_cast<float>(random_.uniform(20, 200)));
  auto op = mul_for(graph_.value(x), graph_.value(y), graph_.value(output), graph_.profile);
  op.clamp_min = clamp.lowest, op.clamp_max = clamp.highest;
  return node(op, {x, y}, output);
}

QValueId Builder::mean(QValueId x, std::int32_t first_axis, std::int32_t last_axis, bool keep) {
  Shape result = shape(x);
  const auto first = result.begin() + first_axis, end = result.begin() + last_axis + 1;
  if (keep)
    std::fill(first, end, 1);
  else
    result.erase(first, end);
  const auto output =
      activation(result, graph_.value(x).scale * static_cast<float>(random_.uniform(0.3, 1.5)));
  QMean op{first_axis, last_axis, {}};
  op.requantization = mean_factor(graph_.value(x), graph_.value(output), extents_of(op, shape(x)).count);
  return node(op, {x}, output);
}

QValueId Builder::pad(QValueId x, std::vector<std::int32_t> begin, std::vector<std::int32_t> end,
                      std::int32_t level) {
  Shape result = shape(x);
  for (std::size_t axis = 0; axis < result.size(); ++axis) result[axis] += begin[axis] + end[axis];
  return node(QPad{std::move(begin), std::move(end), level}, {x}, same_scale(x, result));
}

QValueId Builder::slice(QValueId x, std::vector<std::int32_t> begin, std::vector<std::int32_t> step,
                        const Shape& shape) {
  return node(QSlice{std::move(begin), std::move(step)}, {x}, same_scale(x, shape));
}

QValueId Builder::resize(QValueId x, std::int64_t height, std::int64_t width, QResize rule) {
  return node(rule, {x}, same_scale(x, {1, height, width, shape(x)[3]}));
}

QValueId Builder::table(QValueId x, const std::string& function) {
  const auto fixed = table_output_scale(function);
  const auto output = activation(shape(x), fixed ? fixed->scale : graph_.value(x).scale);
  if (fixed) graph_.values.back().zero_point = fixed->zero_point;
  const float slope = function == "leaky_relu" ? 0.25f : 0.0f;
  auto levels = table_for(function, slope, graph_.value(x), graph_.value(output), graph_.profile);
  return node(QTable{function, slope, std::move(levels)}, {x}, output);
}

QValueId Builder::requantize(QValueId x, Clamp clamp) {
  const auto from = graph_.value(x).scale;
  const auto output = activation(shape(x), from * static_cast<float>(random_.uniform(0.3, 2.0)), dtype(x));
  auto op = limited<QRequantize>(clamp, output);
  op.requantization =
      to_requantization(static_cast<double>(from) / static_cast<double>(graph_.value(output).scale));
  return node(op, {x}, output);
}

QValueId Builder::to_width(QValueId x, DType to) {
  const auto from = graph_.value(x).scale;
  const float wider = to == dtype(x) ? 1 : to == DType::int16 ? 1.0f / 256 : 256;
  const auto output = activation(shape(x), from * wider * static_cast<float>(random_.uniform(0.7, 1.5)), to);
  auto op = limited<QRequantize>({}, output);
  op.requantization =
      to_requantization(static_cast<double>(from) / static_cast<double>(graph_.value(output).scale));
  return node(op, {x}, output);
}

QValueId Builder::concat(const std::vector<QValueId>& parts, std::int32_t axis) {
  auto inputs = parts;
  Shape result = shape(parts[0]);
  const auto at = static_cast<std::size_t>(axis);
  result[at] = 0;
  for (auto& part : inputs) {
    result[at] += shape(part)[at];
    const auto scale = graph_.value(part).scale, wanted = graph_.value(parts[0]).scale;
    if (scale == wanted && graph_.value(part).zero_point == graph_.value(parts[0]).zero_point) continue;
    const auto factor = static_cast<double>(scale) / static_cast<double>(wanted);
    const auto output = same_scale(parts[0], shape(part));
    auto op = limited<QRequantize>({}, output);
    op.requantization = to_requantization(factor);
    part = node(op, {part}, output);
  }
  return node(QConcat{axis}, inputs, same_scale(parts[0], result));
}

QValueId Builder::transpose(QValueId x, const std::vector<std::int32_t>& order) {
  Shape result;
  for (const auto axis : order) result.push_back(shape(x)[static_cast<std::size_t>(axis)]);
  return node(QTranspose{order}, {x}, same_scale(x, result));
}

QValueId Builder::reshape(QValueId x, const Shape& shape) {
  return node(QReshape{}, {x}, same_scale(x, shape));
}

QValueId Builder::softmax(QValueId x) {
  const auto output = activation(shape(x), 1.0f / 256);
  graph_.values[index_of(output)].zero_point = -128;
  return node(softmax_for(graph_.value(x)), {x}, output);
}

QuantizedGraph Builder::done(const std::vector<QValueId>& outputs) {
  graph_.outputs = outputs;
  verify(graph_);
  return graph_;
}

QuantizedGraph every_operation(std::uint64_t seed, const std::string& profile) {
  Builder b(seed, {1, 9, 11, 3}, profile);
  auto uneven = window_of(3, 5, 2);
  uneven.pad_begin[0] = 1, uneven.pad_begin[1] = 3, uneven.pad_end[1] = 2;
  const auto first = b.conv(b.input(), 8, uneven, 1, {-128, 90});
  auto dilated = window_of(2, 3, 1, 1);
  dilated.dilation[0] = 2, dilated.dilation[1] = 2;
  dilated.pad_end[0] = 2, dilated.pad_begin[1] = 2, dilated.pad_end[1] = 2;
  dilated.pad_begin[0] = 0;
  const auto second = b.conv(first, 8, dilated);
  const auto grouped = b.conv(first, 12, window_of(3, 3, 1, 1), 4);
  const auto depthwise = b.conv(first, 8, window_of(3, 3, 1, 1), 8, {-100, 127});
  const auto multiplied = b.conv(first, 16, window_of(1, 1), 8);
  const auto sum = b.add(second, depthwise, {-110, 120});
  const auto gate = b.table(b.conv(b.mean(sum, 1, 2, true), 8, window_of(1, 1)), "hard_sigmoid");
  const auto gated = b.multiply(b.table(sum, "hard_swish"), gate, {-120, 127});
  const auto shifted = b.subtract(b.constant({1, 1, 1, 8}), gated);
  const auto squared = b.multiply(shifted, b.add(shifted, b.constant({1, 1, 1, 1})));
  const auto padded = b.pad(squared, {0, 1, 0, 2}, {0, 0, 3, 1}, 5);
  const auto larger = b.resize(padded, 9, 14, {.half_pixel = true});
  const auto part = b.slice(larger, {0, 7, 1, 10}, {1, -1, 1, -1}, {1, 5, 9, 8});
  const auto trimmed = b.max_pool(part, window_of(2, 4));
  const auto joined = b.concat({b.requantize(sum), grouped, multiplied, trimmed}, 3);
  const auto turned = b.transpose(joined, {0, 3, 1, 2});
  auto pool = window_of(5, 2, 2, 1);
  pool.pad_end[1] = 0;
  const auto pooled = b.max_pool(turned, pool, {-120, 100});
  const auto means = b.average_pool(pooled, window_of(3, 2, 2, 1));
  const auto flat = b.reshape(means, {1, element_count(b.shape(means))});
  const auto other = b.requantize(flat, {-90, 127});
  const auto scores = b.linear(other, 10);
  return b.done({b.softmax(scores), sum});
}

namespace {

/// One random operation on one of the images; the result joins them.
void grow(Builder& b, std::vector<QValueId>& images, bool wide) {
  auto& random = b.random();
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return static_cast<std::int32_t>(low + random.below(high - low + 1));
  };
  const auto x = images[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(images.size())))];
  const auto shape = b.shape(x);
  const auto window = [&](bool pool) {
    Window result;
    for (std::size_t i = 0; i < 2; ++i) {
      const auto extent = static_cast<std::int32_t>(shape[i + 1]);
      result.kernel[i] = pick(1, std::min(extent, 4));
      result.stride[i] = pick(1, 3);
      if (result.kernel[i] > 1 && (result.kernel[i] - 1) * 2 < extent) result.dilation[i] = pick(1, 2);
      const auto span = (result.kernel[i] - 1) * result.dilation[i] + 1;
      result.pad_begin[i] = pick(0, pool ? (result.kernel[i] - 1) / 2 : 3);
      result.pad_end[i] = pick(0, pool ? (result.kernel[i] - 1) / 2 : std::min(3, span));
      if (pool) result.dilation[i] = 1;
    }
    return result;
  };
  Clamp clamp;
  if (pick(0, 2) == 0) clamp = {pick(-128, -20), pick(10, 127)};
  const auto channels = shape[3];
  QValueId y{};
  if (wide && pick(0, 2) == 0) {
    images.push_back(b.to_width(x, b.dtype(x) == DType::int8 ? DType::int16 : DType::int8));
    return;
  }
  constexpr int kPad = 12, kSlice = 14, kResize = 15, kLinear = 16;
  constexpr int kInBothWidths[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, kLinear, kPad, kSlice, kResize};
  switch (wide ? kInBothWidths[pick(0, std::size(kInBothWidths) - 1)] : pick(0, kLinear)) {
    case 0:
    case 1:
      y = b.conv(x, pick(1, 9), window(false), 1, clamp);
      break;
    case 2:
      y = b.conv(x, channels, window(false), static_cast<std::int32_t>(channels), clamp);
      break;
    case 3: {
      const auto groups = channels % 2 == 0 ? 2 : static_cast<std::int32_t>(channels);
      y = b.conv(x, groups * pick(1, 5), window(false), groups, clamp);
      break;
    }
    case 4:
      y = b.max_pool(x, window(true), clamp);
      break;
    case 5:
      y = b.average_pool(x, window(true), clamp);
      break;
    case 6: {
      const auto left = pick(0, 1) ? b.requantize(x, clamp) : x;
      y = b.add(left, b.conv(x, channels, {}), clamp);
      break;
    }
    case 7: {
      const auto axis = pick(1, 3);
      y = b.concat({x, b.requantize(x), x}, axis);
      break;
    }
    case 8: {
      const std::vector<std::int32_t> orders[] = {
          {0, 2, 1, 3}, {0, 3, 1, 2}, {0, 2, 3, 1}, {0, 1, 3, 2}, {0, 3, 2, 1}};
      y = b.transpose(x, orders[pick(0, 4)]);
      break;
    }
    case 9: {
      const Shape shapes[] = {{1, 1, 1, channels}, {1, shape[1], 1, 1}, shape, {1, 1, 1, 1}};
      const auto other = b.constant(shapes[pick(0, 3)]);
      const auto left = pick(0, 1) ? x : other, right = left == x ? other : x;
      y = pick(0, 1) ? b.add(left, right, clamp) : b.subtract(left, right, clamp);
      break;
    }
    case 10: {
      const auto gate = b.table(b.mean(x, 1, 2, true), "hard_sigmoid");
      y = pick(0, 1) ? b.multiply(x, gate, clamp) : b.multiply(gate, x, clamp);
      break;
    }
    case 11: {
      const auto first = pick(1, 3);
      y = b.mean(x, first, pick(first, 3), true);
      break;
    }
    case kPad: {
      const auto [lowest, highest] = levels_of(b.dtype(x));
      y = b.pad(x, {0, pick(0, 2), pick(0, 2), pick(0, 1)}, {0, pick(0, 2), pick(0, 2), pick(0, 1)},
                pick(0, 1) ? b.value(x).zero_point : pick(lowest, highest));
      break;
    }
    case 13: {
      // Not elu and gelu: LiteRT's reference kernels and TensorFlow Lite Micro have one of them each.
      static const std::string functions[] = {"sigmoid",      "tanh", "hard_swish",
                                              "hard_sigmoid", "silu", "leaky_relu"};
      y = b.table(x, functions[pick(0, 5)]);
      break;
    }
    case kSlice: {
      std::vector<std::int32_t> begin = {0}, step = {1};
      Shape part = {1};
      for (std::size_t axis = 1; axis < 4; ++axis) {
        const auto extent = static_cast<std::int32_t>(shape[axis]);
        const auto stride = pick(1, 3), count = pick(1, (extent - 1) / stride + 1);
        const auto first = pick(0, extent - 1 - (count - 1) * stride);
        const bool backwards = pick(0, 2) == 0;
        begin.push_back(backwards ? first + (count - 1) * stride : first);
        step.push_back(pick(0, 1) && count == 1 ? 1 : backwards ? -stride : stride);
        part.push_back(count);
      }
      y = b.slice(x, begin, step, part);
      break;
    }
    case kResize: {
      const auto rule = pick(0, 2);
      y = b.resize(x, pick(1, 2 * static_cast<std::int32_t>(shape[1]) + 1),
                   pick(1, 2 * static_cast<std::int32_t>(shape[2]) + 1), {rule == 1, rule == 2});
      break;
    }
    default:
      y = b.requantize(b.linear(x, pick(1, 9), clamp));
      break;
  }
  if (element_count(b.shape(y)) <= 3000) images.push_back(y);
}

QuantizedGraph grown(std::uint64_t seed, bool wide) {
  Random random(seed * 7919 + 1);
  const Shape shape = {1, 1 + random.below(9), 1 + random.below(9), 1 + random.below(6)};
  Builder b(seed, shape, seed % 3 == 0 ? "tflite-micro" : "litert");
  std::vector<QValueId> images = {b.input()};
  const auto count = (wide ? 4 : 1) + random.below(6);
  for (std::int64_t i = 0; i < count; ++i) grow(b, images, wide);
  auto last = images.back();
  std::vector<QValueId> outputs;
  const auto narrow = [&](QValueId id) {
    return b.dtype(id) == DType::int8 ? id : b.to_width(id, DType::int8);
  };
  if (random.below(3) == 0) outputs.push_back(narrow(images[images.size() / 2]));
  if (random.below(2) == 0) last = b.reshape(last, {1, element_count(b.shape(last))});
  if (random.below(2) == 0) last = b.linear(last, 1 + random.below(12));
  constexpr std::int64_t kMostScores = 255;  // LiteRT aborts where 256 and more are equal
  if (random.below(2) == 0 && b.shape(last).back() <= kMostScores) last = b.softmax(narrow(last));
  outputs.push_back(narrow(last));
  return b.done(outputs);
}

}  // namespace

QuantizedGraph random_graph(std::uint64_t seed) { return grown(seed, false); }
QuantizedGraph many_windows() {
  Builder net(5, {1, 9, 11, 3});
  auto x = net.conv(net.input(), 5, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}});
  x = net.conv(x, 8, {{1, 4}, {1, 2}, {0, 2}, {0, 1}, {1, 1}});
  x = net.conv(x, 8, {{3, 3}, {1, 1}, {2, 2}, {2, 2}, {2, 2}});
  x = net.conv(x, 6, {{2, 1}, {1, 1}, {0, 0}, {1, 0}, {2, 1}});
  x = net.conv(x, 6, {{3, 3}, {2, 1}, {1, 1}, {1, 1}, {1, 1}}, 2);
  x = net.conv(x, 6, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 6);
  x = net.max_pool(x, {{2, 3}, {1, 1}, {1, 1}, {0, 1}, {1, 1}});
  x = net.conv(x, 1, {{1, 1}, {1, 1}, {0, 0}, {0, 0}, {1, 1}});
  return net.done({net.linear(net.reshape(x, {1, element_count(net.shape(x))}), 7)});
}

QuantizedGraph random_wide_graph(std::uint64_t seed) { return grown(seed, true); }

std::vector<TestVector> record(const QuantizedGraph& graph, std::size_t count, std::uint64_t seed) {
  const ReferenceExecutor reference(graph);
  Random random(seed);
  std::vector<TestVector> vectors;
  for (std::size_t i = 0; i < count; ++i) {
    TestVector vector;
    vector.input.resize(static_cast<std::size_t>(element_count(graph.value(graph.inputs[0]).shape)));
    for (auto& each : vector.input) each = static_cast<std::int8_t>(random.below(256) - 128);
    if (i == 1) vector.input.assign(vector.input.size(), -128);
    if (i == 2) vector.input.assign(vector.input.size(), 127);
    for (const auto& part : reference.run_all(vector.input))
      vector.output.insert(vector.output.end(), part.begin(), part.end());
    vectors.push_back(std::move(vector));
  }
  return vectors;
}

}  // namespace compress::testing_graphs
