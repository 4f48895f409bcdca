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

/// [tap / 16][channel][tap], then biases, multipliers and shifts.
void append_group(std::vector<std::int8_t>& bytes, std::span<const Channel> group) {
  const auto taps = group[0].weights.size();
  for (std::size_t first = 0; first < taps; first += kTaps)
    for (const auto& channel : group)
      for (std::size_t tap = first; tap < first + kTaps; ++tap)
        bytes.push_back(tap < channel.weights.size() ? channel.weights[tap] : std::int8_t{0});
  for (const auto& channel : group) append_word(bytes, channel.bias);
  for (const auto& channel : group) append_word(bytes, channel.scale.multiplier);
  for (const auto& channel : group) bytes.push_back(static_cast<std::int8_t>(channel.scale.shift));
}

/// Groups of four, what is missing from the last one zero.
std::vector<std::int8_t> in_groups(std::vector<Channel> channels) {
  while (channels.size() % kChannels != 0) channels.emplace_back();
  std::vector<std::int8_t> bytes;
  for (std::size_t first = 0; first < channels.size(); first += kChannels)
    append_group(bytes, std::span(channels).subspan(first, kChannels));
  return bytes;
}

/// The name that NAME_kernels.h has for the way in which a layer rounds.
std::string rounding_of(const std::vector<Requantization>& scales, bool cuts_below_zero) {
  const auto to_left = [](const Requantization& each) { return each.shift > 0; };
  if (std::any_of(scales.begin(), scales.end(), to_left)) return "shifts_left";
  return cuts_below_zero ? "cuts_below_zero" : "rounds_twice";
}

}  // namespace

std::string LayerWriter::vector_weights(const std::vector<Requantization>& scales) {
  const auto weights = value(1).constant.as<std::int8_t>();
  const auto bias = without_zero_point(value(2).constant.as<std::int32_t>(), weights, value(0).zero_point);
  const auto taps = weights.size() / scales.size();
  std::vector<Channel> channels;
  for (std::size_t c = 0; c < scales.size(); ++c)
    channels.push_back({weights.subspan(c * taps, taps), bias[c], scales[c]});
  return constant({"", "", in_groups(std::move(channels)), {}}, "weights",
                  fmt::format("of {} outputs of {} taps, in groups of four", scales.size(), taps));
}

std::string LayerWriter::lower_vector(const QConv& conv) {
  auto fields = number_fields({{"inputs", value(0).shape[3]},
                               {"outputs", output().shape[3]},
                               {"input_zero_point", value(0).zero_point},
                               {"output_zero_point", output().zero_point},
                               {"lowest", conv.clamp_min},
                               {"highest", conv.clamp_max}});
  const auto rounding = rounding_of(conv.requantization, conv.clamp_min >= output().zero_point);
  fields.emplace_back("rounding", prefixed(rounding));
  fields.emplace_back("weights", vector_weights(conv.requantization));
  const auto kernel = form_ == CForm::rows ? "conv_rows" : "conv";
  network_.kernels.insert(fmt::format("mve/{}", kernel));
  return window_settings(prefixed("vector_conv_layer"), conv.window, fields) +
         call(fmt::format("vector_{}", kernel));
}

}  // namespace compress
