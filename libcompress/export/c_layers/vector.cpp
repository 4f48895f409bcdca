// Layers for vectors of 16 bytes (MVE): weights packed as the kernels read them, the input's zero point in
// the biases.
#include <fmt/format.h>

#include <algorithm>

#include "libcompress/export/c_layers/layer_writer.h"

namespace compress {
namespace {

constexpr std::size_t kTaps = 16, kChannels = 4;  ///< as templates/kernels/mve/vectors.c has them

/// Less what the zero point adds to each sum of products; modulo 2^32, as sums are.
std::vector<std::int32_t> without_zero_point(std::span<const std::int32_t> bias,
                                             std::span<const std::int8_t> weights, std::int32_t zero_point) {
  std::vector<std::int32_t> result;
  const auto taps = weights.size() / bias.size();
  for (std::size_t c = 0; c < bias.size(); ++c) {
    std::int64_t sum = bias[c];
    for (const auto weight : weights.subspan(c * taps, taps)) sum -= std::int64_t{zero_point} * weight;
    result.push_back(static_cast<std::int32_t>(static_cast<std::uint32_t>(sum)));
  }
  return result;
}

/// The weights of one output channel, its bias and scale.
struct Channel {
  std::span<const std::int8_t> weights;
  std::int32_t bias = 0;
  Requantization scale{0, 0};
};

void append_word(std::vector<std::int8_t>& bytes, std::int32_t word) {
  for (int shift = 0; shift < 32; shift += 8)
    bytes.push_back(static_cast<std::int8_t>(static_cast<std::uint32_t>(word) >> shift));
}

/// Of four channels.
void append_scales(std::vector<std::int8_t>& bytes, std::span<const Channel> group) {
  for (const auto& channel : group) append_word(bytes, channel.bias);
  for (const auto& channel : group) append_word(bytes, channel.scale.multiplier);
  for (const auto& channel : group) bytes.push_back(static_cast<std::int8_t>(channel.scale.shift));
}

/// [tap / 16][channel][tap], then biases, multipliers and shifts.
void append_group(std::vector<std::int8_t>& bytes, std::span<const Channel> group) {
  const auto taps = group[0].weights.size();
  for (std::size_t first = 0; first < taps; first += kTaps)
    for (const auto& channel : group)
      for (std::size_t tap = first; tap < first + kTaps; ++tap)
        bytes.push_back(tap < channel.weights.size() ? channel.weights[tap] : std::int8_t{0});
  append_scales(bytes, group);
}

/// Groups of four, what is missing from the last one zero.
std::vector<std::int8_t> in_groups(std::vector<Channel> channels) {
  while (channels.size() % kChannels != 0) channels.emplace_back();
  std::vector<std::int8_t> bytes;
  for (std::size_t first = 0; first < channels.size(); first += kChannels)
    append_group(bytes, std::span(channels).subspan(first, kChannels));
  return bytes;
}

/// Groups of 16: [tap][channel], taps to an even number, then what a quarter of the channels each adds.
std::vector<std::int8_t> in_sixteens(std::vector<Channel> channels) {
  constexpr std::size_t kSixteen = 16,
                        kFirst[] = {0, 2, 1, 3};  ///< as instructions widen: see depthwise_layer.h
  const auto taps = channels[0].weights.size();
  while (channels.size() % kSixteen != 0) channels.emplace_back();
  std::vector<std::int8_t> bytes;
  for (std::size_t first = 0; first < channels.size(); first += kSixteen) {
    const auto group = std::span(channels).subspan(first, kSixteen);
    for (std::size_t tap = 0; tap < taps + taps % 2; ++tap)
      for (const auto& channel : group)
        bytes.push_back(tap < channel.weights.size() ? channel.weights[tap] : std::int8_t{0});
    for (const auto c : kFirst)
      append_scales(bytes, std::vector<Channel>{group[c], group[c + 4], group[c + 8], group[c + 12]});
  }
  return bytes;
}

/// The name that NAME_kernels.h has for the way in which a layer rounds.
std::string rounding_of(const std::vector<Requantization>& scales, bool cuts_below_zero) {
  const auto to_left = [](const Requantization& each) { return each.shift > 0; };
  if (std::any_of(scales.begin(), scales.end(), to_left)) return "shifts_left";
  return cuts_below_zero ? "cuts_below_zero" : "rounds_twice";
}

/// Every output channel of a layer; the spans are into the graph.
std::vector<Channel> channels_of(const QValue& input, const QValue& weights, const QValue& bias,
                                 const std::vector<Requantization>& scales) {
  const auto all = weights.constant.as<std::int8_t>();
  const auto biases = without_zero_point(bias.constant.as<std::int32_t>(), all, input.zero_point);
  const auto taps = all.size() / scales.size();
  std::vector<Channel> channels;
  for (std::size_t c = 0; c < scales.size(); ++c)
    channels.push_back({all.subspan(c * taps, taps), biases[c], scales[c]});
  return channels;
}

}  // namespace

bool pairs_fit_16_bits(const QValue& weights) {
  const auto all = weights.constant.as<std::int8_t>();
  return std::find(all.begin(), all.end(), std::int8_t{-128}) == all.end();
}

bool all_shift_right(const std::vector<Requantization>& scales) {
  return std::all_of(scales.begin(), scales.end(), [](const Requantization& each) { return each.shift < 0; });
}

std::string LayerWriter::vector_layer(const std::string& kernel, const QConv& conv, Fields fields,
                                      std::vector<std::int8_t> weights, const std::string& layout) {
  append(fields, number_fields({{"input_zero_point", value(0).zero_point},
                                {"output_zero_point", output().zero_point},
                                {"lowest", conv.clamp_min},
                                {"highest", conv.clamp_max}}));
  const auto rounding = rounding_of(conv.requantization, conv.clamp_min >= output().zero_point);
  fields.emplace_back("rounding", prefixed(rounding));
  fields.emplace_back("weights", constant({"", "", std::move(weights), {}}, "weights", layout));
  const auto form = kernel + (form_ == CForm::rows ? "_rows" : "");
  network_.kernels.insert("mve/" + form);
  return window_settings(prefixed("vector_" + kernel + "_layer"), conv.window, fields) +
         call("vector_" + form);
}

std::string LayerWriter::lower_vector(const QConv& conv) {
  const auto channels = channels_of(value(0), value(1), value(2), conv.requantization);
  return vector_layer(
      "conv", conv, number_fields({{"inputs", value(0).shape[3]}, {"outputs", output().shape[3]}}),
      in_groups(channels),
      fmt::format("of {} outputs of {} taps, in groups of 4", channels.size(), channels[0].weights.size()));
}

std::string LayerWriter::lower_vector(const QLinear& linear, bool rounds_once) {
  network_.kernels.insert("mve/linear");
  const auto channels = channels_of(value(0), value(1), value(2), linear.requantization);
  const auto inputs = value(1).shape[1], outputs = value(1).shape[0];
  auto fields = number_fields({{"rows", element_count(output().shape) / outputs},
                               {"inputs", inputs},
                               {"outputs", outputs},
                               {"output_zero_point", output().zero_point},
                               {"lowest", linear.clamp_min},
                               {"highest", linear.clamp_max}});
  const auto rounding = rounding_of(linear.requantization, linear.clamp_min >= output().zero_point);
  fields.emplace_back("rounding", prefixed(rounds_once ? "rounds_once" : rounding));
  fields.emplace_back("weights",
                      constant({"", "", in_groups(channels), {}}, "weights",
                               fmt::format("of {} outputs of {} inputs, in groups of 4", outputs, inputs)));
  return settings(prefixed("vector_linear_layer"), fields) + call("vector_linear");
}

std::string LayerWriter::lower_vector_depthwise(const QConv& conv) {
  const auto channels = channels_of(value(0), value(1), value(2), conv.requantization);
  return vector_layer(
      "depthwise", conv, number_fields({{"channels", output().shape[3]}}), in_sixteens(channels),
      fmt::format("of {} channels of {} taps, in groups of 16", channels.size(), channels[0].weights.size()));
}

}  // namespace compress
