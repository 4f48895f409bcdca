// Convolutions and fully connected layers.
#include <algorithm>
#include <optional>
#include <variant>

#include "libcompress/quant/reference/arithmetic.h"
#include "libcompress/quant/reference/run.h"

namespace compress::reference {
namespace {

/// Sum of products; `count` is a multiple of kLanes. The compiler makes multiply-add pairs of it.
template <typename Total>
Total dot(const std::int16_t* a, const std::int16_t* b, std::size_t count) {
  Total sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += static_cast<std::int32_t>(a[i]) * b[i];
  return sum;
}

bool is_depthwise(const QConv& conv, const Shape& weight) {
  return weight[3] == 1 && weight[0] == conv.groups && conv.groups > 1;
}

}  // namespace

Prepared prepare(const QuantizedGraph& graph, const QNode& node) {
  Prepared prepared;
  const auto* conv = std::get_if<QConv>(&node.op);
  if (!conv && !std::holds_alternative<QLinear>(node.op)) return prepared;
  const auto& weight = graph.value(node.inputs[1]);
  const auto data = weight.constant.as<std::int8_t>();
  const auto outputs = static_cast<std::size_t>(weight.shape[0]);
  if (conv && is_depthwise(*conv, weight.shape)) {
    const auto taps = data.size() / outputs;
    prepared.taps.resize(data.size());
    for (std::size_t c = 0; c < outputs; ++c) {
      for (std::size_t t = 0; t < taps; ++t) prepared.taps[t * outputs + c] = data[c * taps + t];
    }
  } else {
    prepared.rows.emplace(data, outputs);
  }
  return prepared;
}

template <typename T>
void Run::compute(const QConv& conv, const QNode& node, const Prepared& prepared, std::span<T> output) {
  const auto& weight = value(node.inputs[1]);
  if (is_depthwise(conv, weight.shape)) {
    depthwise(conv, node, prepared, output);
    return;
  }
  const auto& input = value(node.inputs[0]);
  const Image from(input.shape);
  const Image to(value(node.output).shape);
  const auto bias = value(node.inputs[2]).constant.as<Sum<T>>();
  const auto output_zero = value(node.output).zero_point;
  const auto channels = static_cast<std::size_t>(from.channels / conv.groups);
  const auto outputs = static_cast<std::size_t>(to.channels / conv.groups);
  const auto& source = data<T>(node.inputs[0]);
  std::vector<std::int16_t> patch(prepared.rows->stride);
  auto* result = output.data();
  for (std::int64_t oy = 0; oy < to.height; ++oy) {
    for (std::int64_t ox = 0; ox < to.width; ++ox) {
      for (std::size_t group = 0; group < static_cast<std::size_t>(conv.groups); ++group) {
        std::fill(patch.begin(), patch.end(), std::int16_t{0});
        for_each_tap(conv.window, from, oy, ox, [&](std::int64_t tap, std::int64_t y, std::int64_t x) {
          const auto* cell = source.data() + (y * from.width + x) * from.channels +
                             static_cast<std::int64_t>(group * channels);
          auto* to_patch = patch.data() + static_cast<std::size_t>(tap) * channels;
          for (std::size_t c = 0; c < channels; ++c)
            to_patch[c] = static_cast<std::int16_t>(cell[c] - input.zero_point);
        });
        for (std::size_t o = group * outputs; o < (group + 1) * outputs; ++o) {
          const auto sum = bias[o] + dot<Sum<T>>(patch.data(), prepared.rows->row(o), patch.size());
          *result++ =
              clamp_to<T>(scaled(sum, conv.requantization[o]) + output_zero, conv.clamp_min, conv.clamp_max);
        }
      }
    }
  }
}

template <typename T>
void Run::depthwise(const QConv& conv, const QNode& node, const Prepared& prepared, std::span<T> output) {
  const auto& input = value(node.inputs[0]);
  const Image from(input.shape);
  const Image to(value(node.output).shape);
  const auto bias = value(node.inputs[2]).constant.as<Sum<T>>();
  const auto output_zero = value(node.output).zero_point;
  const auto& source = data<T>(node.inputs[0]);
  const auto channels = static_cast<std::size_t>(from.channels);
  std::vector<Sum<T>> sums(channels);
  auto* result = output.data();
  for (std::int64_t oy = 0; oy < to.height; ++oy) {
    for (std::int64_t ox = 0; ox < to.width; ++ox) {
      std::copy(bias.begin(), bias.end(), sums.begin());
      for_each_tap(conv.window, from, oy, ox, [&](std::int64_t tap, std::int64_t y, std::int64_t x) {
        const auto* cell = source.data() + (y * from.width + x) * from.channels;
        const auto* weights = prepared.taps.data() + static_cast<std::size_t>(tap) * channels;
        for (std::size_t c = 0; c < channels; ++c) sums[c] += (cell[c] - input.zero_point) * weights[c];
      });
      for (std::size_t c = 0; c < channels; ++c)
        *result++ = clamp_to<T>(scaled(sums[c], conv.requantization[c]) + output_zero, conv.clamp_min,
                                conv.clamp_max);
    }
  }
}

template <typename T>
void Run::compute(const QLinear& linear, const QNode& node, const Prepared& prepared, std::span<T> output) {
  const auto& input = value(node.inputs[0]);
  const auto bias = value(node.inputs[2]).constant.as<Sum<T>>();
  const auto output_zero = value(node.output).zero_point;
  const bool once = linear_rounds_once(graph_);
  const auto& source = data<T>(node.inputs[0]);
  const auto features = static_cast<std::size_t>(input.shape.back());
  std::vector<std::int16_t> patch(prepared.rows->stride);
  auto* result = output.data();
  for (std::size_t row = 0; row < source.size(); row += features) {
    for (std::size_t i = 0; i < features; ++i)
      patch[i] = static_cast<std::int16_t>(source[row + i] - input.zero_point);
    for (std::size_t o = 0; o < bias.size(); ++o) {
      const auto sum = bias[o] + dot<Sum<T>>(patch.data(), prepared.rows->row(o), patch.size());
      const auto& by = linear.requantization[o];
      *result++ = clamp_to<T>((once ? requantize_once(sum, by) : scaled(sum, by)) + output_zero,
                              linear.clamp_min, linear.clamp_max);
    }
  }
}

template void Run::compute(const QConv&, const QNode&, const Prepared&, std::span<std::int8_t>);
template void Run::compute(const QConv&, const QNode&, const Prepared&, std::span<std::int16_t>);
template void Run::compute(const QLinear&, const QNode&, const Prepared&, std::span<std::int8_t>);
template void Run::compute(const QLinear&, const QNode&, const Prepared&, std::span<std::int16_t>);

}  // namespace compress::reference
