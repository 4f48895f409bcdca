// Convolutions for the DSP extension: the weights of two channels in a halfword, of two taps in a word.
#include "libcompress/export/c_layers/packed.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "libcompress/export/c_layers/layer_writer.h"

namespace compress {
namespace {

/// Which two taps of a row share a word; -1 is none. Of four neighbors a word's even bytes are one pair, its
/// odd ones the other.
struct TapPair {
  std::int64_t low, high;
};

std::vector<TapPair> pairs_of_row(std::int64_t taps) {
  std::vector<TapPair> pairs;
  for (std::int64_t first = 0; first < taps; first += 4)
    for (std::int64_t tap = first; tap < std::min(first + 2, taps); ++tap)
      pairs.push_back({tap, tap + 2 < taps ? tap + 2 : -1});
  return pairs;
}

std::int32_t shared(std::int32_t first, std::int32_t second) { return first + 256 * second; }

bool fits_halfword(std::int32_t value) { return value >= INT16_MIN && value <= INT16_MAX; }

/// The weights of one layer by channel and tap; behind an odd number of channels the last once more.
struct Kernel {
  std::span<const std::int8_t> data;
  std::int64_t channels, rows, row_taps;

  explicit Kernel(const QValue& weights)
      : data(weights.constant.as<std::int8_t>()),
        channels(weights.shape[0]),
        rows(weights.shape.size() == 4 ? weights.shape[1] : 1),
        row_taps(element_count(weights.shape) / weights.shape[0] / rows) {}

  std::int64_t taps() const { return rows * row_taps; }
  std::span<const std::int8_t> channel(std::int64_t c) const {
    return data.subspan(static_cast<std::size_t>(std::min(c, channels - 1) * taps()),
                        static_cast<std::size_t>(taps()));
  }
  /// Of channels `c` and the next.
  std::int32_t shared_at(std::int64_t c, std::int64_t row, std::int64_t tap) const {
    if (tap < 0) return 0;
    const auto at = static_cast<std::size_t>(row * row_taps + tap);
    return shared(channel(c)[at], channel(c + 1)[at]);
  }
  std::int32_t word(std::int64_t c, std::int64_t row, TapPair pair) const {
    const auto half = [&](std::int64_t tap) {
      return static_cast<std::uint32_t>(shared_at(c, row, tap)) & 0xffffu;
    };
    return static_cast<std::int32_t>(half(pair.low) | half(pair.high) << 16);
  }
};

/// [channels / 4][row][pair of taps][2], and [..][1] for one or two channels at the end.
std::vector<std::int32_t> packed_words(const Kernel& kernel) {
  std::vector<std::int32_t> words;
  const auto pairs = pairs_of_row(kernel.row_taps);
  for (std::int64_t c = 0; c < kernel.channels; c += 4)
    for (std::int64_t row = 0; row < kernel.rows; ++row)
      for (const auto pair : pairs) {
        words.push_back(kernel.word(c, row, pair));
        if (c + 2 < kernel.channels) words.push_back(kernel.word(c + 2, row, pair));
      }
  return words;
}

/// [channels / 8][pair of inputs][4], and [..][1] for every two channels at the end.
std::vector<std::int32_t> packed_linear_words(const Kernel& kernel) {
  std::vector<std::int32_t> words;
  auto pairs = pairs_of_row(kernel.row_taps);
  pairs.resize(static_cast<std::size_t>(packed_linear_steps(kernel.row_taps)), {-1, -1});
  for (std::int64_t c = 0; c < kernel.channels;) {
    const std::int64_t at_once = c + 8 <= kernel.channels ? 8 : 2;
    for (const auto pair : pairs)
      for (auto next = c; next < c + at_once; next += 2) words.push_back(kernel.word(next, 0, pair));
    c += at_once;
  }
  return words;
}

/// Of every pair of channels that of the first, then of both.
std::vector<std::int32_t> packed_bias(std::span<const std::int32_t> bias) {
  std::vector<std::int32_t> words;
  for (std::size_t c = 0; c < bias.size(); c += 2) {
    words.push_back(bias[c]);
    words.push_back(shared(bias[c], bias[std::min(c + 1, bias.size() - 1)]));
  }
  return words;
}

bool halfwords_fit(const Kernel& kernel) {
  for (std::int64_t c = 0; c < kernel.channels; c += 2)
    for (std::int64_t tap = 0; tap < kernel.taps(); ++tap)
      if (!fits_halfword(kernel.shared_at(c, 0, tap))) return false;
  return true;
}

/// Twice a sum, shifted to the left where the shift is above 0, and the sum of two channels.
bool sums_fit(const std::vector<std::int64_t>& bounds, const std::vector<Requantization>& requantization) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 30;
  for (std::size_t c = 0; c < bounds.size(); ++c)
    if (bounds[c] << std::max(requantization[c].shift, 0) >= kLimit) return false;
  for (std::size_t c = 0; c < bounds.size(); c += 2)
    if (bounds[c] + 256 * bounds[std::min(c + 1, bounds.size() - 1)] >= 2 * kLimit) return false;
  return true;
}

bool is_plain(const QConv& conv, const std::vector<Requantization>& requantization) {
  return conv.clamp_min <= -128 && conv.clamp_max >= 127 &&
         std::ranges::all_of(requantization, [](const auto& each) { return each.shift < 0; });
}

bool is_plain_linear(const QLinear& linear) {
  return linear.clamp_min <= -128 && linear.clamp_max >= 127 &&
         std::ranges::all_of(linear.requantization, [](const auto& each) { return each.shift < -1; });
}

/// A convolution as packed kernels compute it: tensors and scales of its own.
struct Packable {
  Kernel kernel;
  std::vector<std::int8_t> weights;
  std::vector<std::int32_t> bias;
  std::vector<Requantization> requantization;
  std::vector<std::int64_t> bounds;
};

/// Makes a channel say `level` above the output's zero point whatever its inputs are: a quarter of four times
/// that.
void make_constant(Packable& packable, std::int64_t channel, std::int32_t level) {
  const auto c = static_cast<std::size_t>(channel);
  const auto taps = packable.kernel.taps();
  std::fill_n(packable.weights.begin() + channel * taps, taps, std::int8_t{0});
  packable.bias[c] = 4 * level;
  packable.requantization[c] = {1 << 30, -1};
  packable.bounds[c] = std::abs(4 * level);
}

/// Channels that training has left for dead have a tiny scale and so a huge bias, which no packed sum has
/// room for; but what they give hardly changes. Where it never does, smaller numbers say the same.
Packable packable_of(const QuantizedGraph& graph, const QNode& node) {
  const auto& conv = std::get<QConv>(node.op);
  const Kernel kernel(graph.value(node.inputs[1]));
  const auto bias = graph.value(node.inputs[2]).constant.as<std::int32_t>();
  Packable packable{kernel,
                    {kernel.data.begin(), kernel.data.end()},
                    {bias.begin(), bias.end()},
                    conv.requantization,
                    sum_bounds(graph, node)};
  const std::int32_t zero_point = graph.value(node.output).zero_point;
  for (std::int64_t channel = 0; channel < kernel.channels; ++channel) {
    const auto c = static_cast<std::size_t>(channel);
    const auto& by = conv.requantization[c];
    const std::int64_t spread = packable.bounds[c] - std::abs(std::int64_t{bias[c]});
    const std::int64_t least = bias[c] - spread, most = bias[c] + spread;
    if (by.shift > 0 || least < INT32_MIN || most > INT32_MAX) continue;
    const auto level = [&](std::int64_t sum) {
      return std::clamp(requantize(static_cast<std::int32_t>(sum), by) + zero_point, conv.clamp_min,
                        conv.clamp_max) -
             zero_point;
    };
    if (level(least) == level(most)) make_constant(packable, channel, level(least));
  }
  packable.kernel.data = packable.weights;
  return packable;
}

}  // namespace

std::vector<std::int64_t> sum_bounds(const QuantizedGraph& graph, const QNode& conv) {
  const Kernel kernel(graph.value(conv.inputs[1]));
  const auto bias = graph.value(conv.inputs[2]).constant.as<std::int32_t>();
  const std::int64_t zero_point = graph.value(conv.inputs[0]).zero_point;
  const std::int64_t least = -128 - zero_point, most = 127 - zero_point;  // of an input
  std::vector<std::int64_t> bounds;
  for (std::int64_t c = 0; c < kernel.channels; ++c) {
    std::int64_t below = 0, above = 0;
    for (const std::int64_t weight : kernel.channel(c)) {
      below += std::min(weight * least, weight * most);
      above += std::max(weight * least, weight * most);
    }
    bounds.push_back(std::abs(std::int64_t{bias[static_cast<std::size_t>(c)]}) + std::max(-below, above));
  }
  return bounds;
}

bool packs(const QuantizedGraph& graph, const QNode& node) {
  const bool narrow =
      graph.value(node.inputs[0]).dtype == DType::int8 && graph.value(node.output).dtype == DType::int8;
  if (std::get<QConv>(node.op).groups != 1 || !narrow) return false;
  const auto packable = packable_of(graph, node);
  return halfwords_fit(packable.kernel) && sums_fit(packable.bounds, packable.requantization);
}

bool packs_linear(const QuantizedGraph& graph, const QNode& node) {
  const auto& scales = std::get<QLinear>(node.op).requantization;
  if (graph.value(node.inputs[0]).dtype != DType::int8 || graph.value(node.output).dtype != DType::int8)
    return false;
  if (linear_rounds_once(graph) && !all_shift_right(scales)) return false;
  return halfwords_fit(Kernel(graph.value(node.inputs[1]))) && sums_fit(sum_bounds(graph, node), scales);
}

std::int64_t packed_linear_steps(std::int64_t inputs) {
  constexpr std::int64_t kOfATurn = 8;  // inputs, of the loop over words
  return (inputs + kOfATurn - 1) / kOfATurn * kOfATurn / 2;
}

std::int64_t packed_steps(const Shape& weights) {
  return weights[1] * static_cast<std::int64_t>(pairs_of_row(weights[2] * weights[3]).size());
}

std::string LayerWriter::lower_packed(const QConv& conv) {
  const auto packable = packable_of(graph_, *node_);
  const auto& kernel = packable.kernel;
  const auto steps = packed_steps(value(1).shape);
  CConstant weights, bias, multipliers, shifts;
  weights.words = packed_words(kernel);
  bias.words = packed_bias(packable.bias);
  for (const auto& each : packable.requantization) {
    multipliers.words.push_back(each.multiplier);
    shifts.bytes.push_back(static_cast<std::int8_t>(each.shift));
  }
  auto fields = number_fields({{"inputs", value(0).shape[3]},
                               {"outputs", output().shape[3]},
                               {"steps", steps},
                               {"input_zero_point", value(0).zero_point},
                               {"output_zero_point", output().zero_point},
                               {"lowest", conv.clamp_min},
                               {"highest", conv.clamp_max},
                               {"is_plain", is_plain(conv, packable.requantization)}});
  const auto layout = fmt::format("of {} channels, {} words a pair of them", kernel.channels, steps);
  const auto count = fmt::format("[{}]", kernel.channels);
  append(fields, {{"weights", constant(std::move(weights), "weights", layout)},
                  {"bias", constant(std::move(bias), "bias", "of every pair of channels")},
                  {"multipliers", constant(std::move(multipliers), "multipliers", count)},
                  {"shifts", constant(std::move(shifts), "shifts", count)}});
  const auto name = form_ == CForm::rows ? "packed_conv_rows" : "packed_conv";
  network_.kernels.insert(fmt::format("dsp/{}", name));
  return window_settings(prefixed("packed_layer"), conv.window, fields) + call(name);
}

std::string LayerWriter::lower_packed(const QLinear& linear) {
  network_.kernels.insert("dsp/packed_linear");
  const Kernel kernel(value(1));
  CConstant weights, bias, multipliers, shifts;
  weights.words = packed_linear_words(kernel);
  bias.words = packed_bias(value(2).constant.as<std::int32_t>());
  for (const auto& each : linear.requantization) {
    multipliers.words.push_back(each.multiplier);
    shifts.bytes.push_back(static_cast<std::int8_t>(each.shift));
  }
  auto fields = number_fields({{"rows", element_count(output().shape) / kernel.channels},
                               {"inputs", kernel.row_taps},
                               {"outputs", kernel.channels},
                               {"steps", packed_linear_steps(kernel.row_taps)},
                               {"input_zero_point", value(0).zero_point},
                               {"output_zero_point", output().zero_point},
                               {"lowest", linear.clamp_min},
                               {"highest", linear.clamp_max},
                               {"is_plain", is_plain_linear(linear)}});
  const auto layout = fmt::format("of {} outputs", kernel.channels);
  const auto count = fmt::format("[{}]", kernel.channels);
  append(fields, {{"weights", constant(std::move(weights), "weights", layout)},
                  {"bias", constant(std::move(bias), "bias", "of every pair of outputs")},
                  {"multipliers", constant(std::move(multipliers), "multipliers", count)},
                  {"shifts", constant(std::move(shifts), "shifts", count)}});
  return settings(prefixed("packed_linear_layer"), fields) + call("packed_linear");
}

}  // namespace compress
