// NAME_kernels.h and NAME_kernels.c: the parts of templates/kernels that the network needs.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "libcompress/export/c_layers/packed.h"
#include "libcompress/export/c_network.h"
#include "libcompress/export/c_text.h"

namespace compress {
namespace {

struct Part {
  std::string name;
  bool header, source;
  std::vector<std::string> needs;
  bool has_dsp = false;                  ///< another source in kernels/dsp ...
  std::vector<std::string> dsp_needs{};  ///< ... which needs these instead
  bool has_mve = false;                  ///< and one in kernels/mve
  std::vector<std::string> mve_needs{};
};

/// In the order of the files: what a part needs stands before it.
const std::vector<Part>& parts() {
  static const std::vector<Part> kParts = {
      {"window", true, false, {}},
      {"instructions", false, true, {}, true},
      {"clamp", false, true, {}},
      {"fixed_point", false, true, {}, true, {"instructions"}},
      {"scale", false, true, {"fixed_point"}, true, {"fixed_point"}},
      {"scale_once", false, true, {}},
      {"columns", false, true, {"window"}},
      {"taps", false, true, {"columns"}},
      {"output", false, true, {}, true, {"instructions", "scale"}},
      {"window_rows", false, true, {"window"}},
      {"dsp/windows", false, true, {"columns", "instructions"}},
      {"dot", false, true, {}, true, {"instructions"}},
      {"rows", true, true, {}},
      {"blocks", true, true, {}},
      {"conv_layer", true, false, {"window"}},
      {"conv_pairs", false, true, {}, true, {"dsp/windows", "output"}},
      {"conv",
       true,
       true,
       {"conv_layer", "clamp", "scale", "taps", "dot"},
       true,
       {"conv_layer", "conv_pairs", "window_rows"}},
      {"conv_rows",
       true,
       true,
       {"conv_layer", "clamp", "scale", "columns", "dot"},
       true,
       {"conv_layer", "conv_pairs"}},
      {"dsp/packed_layer", true, false, {"window"}},
      {"dsp/packed_windows", false, true, {"dsp/windows", "output"}},
      {"dsp/packed_conv", true, true, {"dsp/packed_layer", "dsp/packed_windows", "window_rows"}},
      {"dsp/packed_conv_rows", true, true, {"dsp/packed_layer", "dsp/packed_windows"}},
      {"depthwise_layer", true, false, {"window"}},
      {"depthwise_row", false, true, {}, true, {"dsp/windows", "output"}},
      {"depthwise",
       true,
       true,
       {"depthwise_layer", "clamp", "scale", "taps"},
       true,
       {"depthwise_layer", "depthwise_row", "window_rows"}},
      {"depthwise_rows",
       true,
       true,
       {"depthwise_layer", "clamp", "scale", "columns"},
       true,
       {"depthwise_layer", "depthwise_row"}},
      {"dsp/packed_linear", true, true, {"instructions", "output"}},
      {"linear", true, true, {"clamp", "dot"}},  // and a scale by the profile
      {"max_pool_layer", true, false, {"window"}},
      {"max_pool",
       true,
       true,
       {"max_pool_layer", "clamp", "taps"},
       true,
       {"max_pool_layer", "instructions", "clamp", "taps"}},
      {"average_pool_layer", true, false, {"window"}},
      {"average_pool", true, true, {"average_pool_layer", "clamp", "taps"}},
      {"average_pool_row", false, true, {"average_pool_layer", "clamp", "columns"}},
      {"average_pool_rows", true, true, {"average_pool_row"}},
      {"average_pool_take", true, true, {"average_pool_row"}},
      {"requantize_layer", true, true, {"clamp", "scale"}},
      {"spread", true, false, {}},
      {"add", true, true, {"clamp", "scale"}},
      {"add_spread", true, true, {"add", "spread"}},
      {"multiply", true, true, {"clamp", "scale", "spread"}},
      {"mean", true, true, {"clamp", "scale"}},
      {"pad", true, true, {}},
      {"resize", true, true, {}},
      {"look_up", true, true, {}},
      {"concat", true, true, {}},
      {"transpose", true, true, {}},
      {"softmax", true, true, {"clamp", "fixed_point"}},
      {"mve/rounding", true, false, {}},
      {"mve/vectors", false, true, {"mve/rounding", "scale"}},
      {"mve/conv_layer", true, false, {"window", "mve/rounding"}},
      {"mve/conv_windows", false, true, {"mve/vectors", "columns"}},
      {"mve/conv", true, true, {"mve/conv_layer", "mve/conv_windows", "window_rows"}},
      {"mve/conv_rows", true, true, {"mve/conv_layer", "mve/conv_windows"}},
      {"mve/depthwise_layer", true, false, {"window", "mve/rounding"}},
      {"mve/sixteen", false, true, {"mve/vectors"}},
      {"mve/depthwise_position", false, true, {"mve/sixteen"}},
      {"mve/depthwise", true, true, {"mve/depthwise_layer", "mve/depthwise_position", "window_rows"}},
      {"mve/depthwise_rows", true, true, {"mve/depthwise_layer", "mve/depthwise_position"}},
      {"mve/linear", true, true, {"mve/vectors", "mve/rounding"}},
      {"mve/add", true, true, {"add", "mve/vectors"}},
      {"mve/levels", false, true, {"mve/vectors"}},
      {"max_pool_row",
       false,
       true,
       {"max_pool_layer", "clamp", "columns"},
       true,
       {"max_pool_layer", "instructions", "clamp", "columns"},
       true,
       {"max_pool_layer", "mve/levels", "clamp", "columns"}},
      {"max_pool_rows", true, true, {"max_pool_row"}},
      {"max_pool_take", true, true, {"max_pool_row"}},
      {"mve/max_pool", true, true, {"max_pool_layer", "mve/levels", "taps"}},
      {"mve/average_pool", true, true, {"average_pool_layer", "mve/vectors", "clamp", "taps"}},
      {"wide/levels", false, true, {}},
      {"wide/scale", false, true, {}},
      {"wide/scale_once", false, true, {}},
      {"wide/conv", true, true, {"window", "taps", "wide/levels", "wide/scale"}},
      {"wide/linear", true, true, {"wide/levels"}},  // and a scale by the profile
      {"wide/pool_layer", true, false, {"window"}},
      {"wide/max_pool", true, true, {"wide/pool_layer", "taps", "wide/levels"}},
      {"wide/average_pool", true, true, {"wide/pool_layer", "taps", "wide/levels"}},
      {"wide/add", true, true, {"scale", "wide/levels"}},
      {"wide/pad", true, true, {"wide/levels"}},
      {"wide/requantize", true, true, {"clamp", "scale", "wide/levels"}},
  };
  return kParts;
}

/// Whether sums of products that are not packed stay between -2^30 and 2^30 where they are shifted to the
/// right.
bool sums_are_small(const QuantizedGraph& graph) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 30;
  for (const auto& node : graph.nodes) {
    const auto* conv = std::get_if<QConv>(&node.op);
    if (conv == nullptr || graph.value(node.output).dtype != DType::int8 || packs(graph, node)) continue;
    const auto bounds = sum_bounds(graph, node);
    for (std::size_t channel = 0; channel < bounds.size(); ++channel)
      if (bounds[channel] >= kLimit && conv->requantization[channel].shift < 0) return false;
  }
  return true;
}

/// Taps of the largest window: inputs of one group under a kernel.
std::int64_t most_taps(const QuantizedGraph& graph) {
  std::int64_t most = 1;
  for (const auto& node : graph.nodes) {
    if (!std::holds_alternative<QConv>(node.op)) continue;
    const auto& shape = graph.value(node.inputs[1]).shape;
    most = std::max(most, element_count(shape) / shape[0]);
  }
  return most;
}

/// Taps of the largest window of a convolution in groups of one channel.
std::int64_t most_depthwise_taps(const QuantizedGraph& graph) {
  std::int64_t most = 1;
  for (const auto& node : graph.nodes) {
    const auto* conv = std::get_if<QConv>(&node.op);
    if (conv == nullptr || conv->groups == 1) continue;
    const auto& shape = graph.value(node.inputs[1]).shape;
    most = std::max(most, shape[1] * shape[2]);
  }
  return most;
}

/// Words of the inputs of the largest fully connected layer.
std::int64_t most_linear_steps(const QuantizedGraph& graph) {
  std::int64_t most = 1;
  for (const auto& node : graph.nodes)
    if (std::holds_alternative<QLinear>(node.op))
      most = std::max(most, packed_linear_steps(graph.value(node.inputs[1]).shape[1]));
  return most;
}

/// Rows of the highest kernel.
std::int64_t most_rows(const QuantizedGraph& graph) {
  std::int64_t most = 1;
  for (const auto& node : graph.nodes)
    if (const auto* conv = std::get_if<QConv>(&node.op))
      most = std::max<std::int64_t>(most, conv->window.kernel[0]);
  return most;
}

/// Pixels of the largest kernel.
std::int64_t most_pixels(const QuantizedGraph& graph) {
  std::int64_t most = 1;
  for (const auto& node : graph.nodes)
    if (const auto* conv = std::get_if<QConv>(&node.op))
      most = std::max<std::int64_t>(most, std::int64_t{conv->window.kernel[0]} * conv->window.kernel[1]);
  return most;
}

/// Channels of the widest input that is convolved in groups.
std::int64_t most_grouped_channels(const QuantizedGraph& graph) {
  std::int64_t most = 1;
  for (const auto& node : graph.nodes)
    if (const auto* conv = std::get_if<QConv>(&node.op); conv != nullptr && conv->groups > 1)
      most = std::max(most, graph.value(node.inputs[0]).shape[3]);
  return most;
}

/// Steps of the largest packed window, and taps of its widest row.
struct PackedSizes {
  std::int64_t steps = 1, row_taps = 1;
};

PackedSizes packed_sizes(const QuantizedGraph& graph) {
  PackedSizes sizes;
  for (const auto& node : graph.nodes) {
    if (!std::holds_alternative<QConv>(node.op) || !packs(graph, node)) continue;
    const auto& shape = graph.value(node.inputs[1]).shape;
    sizes.steps = std::max(sizes.steps, packed_steps(shape));
    sizes.row_taps = std::max(sizes.row_taps, shape[2] * shape[3]);
  }
  return sizes;
}

/// Which of several sources and scales the network takes.
struct Choice {
  bool dsp = false, mve = false;
  std::string linear_scale, wide_linear_scale;
  bool small_sums = false;
};

Choice choice_for(const CNetwork& network) {
  const auto& graph = network.graph();
  return {network.request.instructions >= InstructionSet::dsp,
          network.request.instructions >= InstructionSet::mve,
          linear_rounds_once(graph) ? "scale_once" : "scale",
          linear_rounds_once(graph) ? "wide/scale_once" : "wide/scale", sums_are_small(graph)};
}

const std::vector<std::string>& needs_of(const Part& part, const Choice& choice) {
  if (choice.mve && part.has_mve) return part.mve_needs;
  return choice.dsp && part.has_dsp ? part.dsp_needs : part.needs;
}

std::set<std::string> with_needs(const CNetwork& network, const Choice& choice) {
  std::set<std::string> all = network.kernels;
  if (all.contains("linear")) all.insert(choice.linear_scale);
  if (all.contains("wide/linear")) all.insert(choice.wide_linear_scale);
  for (auto part = parts().rbegin(); part != parts().rend(); ++part) {
    if (!all.contains(part->name)) continue;
    const auto& needs = needs_of(*part, choice);
    all.insert(needs.begin(), needs.end());
  }
  return all;
}

/// Where the source of a part is, for the instructions that the network may use.
std::string source_path(const Part& part, const Choice& choice) {
  const auto* folder = choice.mve && part.has_mve ? "mve/" : choice.dsp && part.has_dsp ? "dsp/" : "";
  return fmt::format("kernels/{}{}.c", folder, part.name);
}

/// The function in that part.
std::string wide_linear_scale(const CNetwork& network) {
  return linear_rounds_once(network.graph()) ? "scale_wide_once" : "scale_wide";
}

/// Templates write net_ where the network's own prefix goes.
std::string prefixed(std::string_view text, const std::string& name) {
  std::string result;
  const auto in_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 4) == "net_" && (i == 0 || !in_word(text[i - 1]))) {
      result += name + "_";
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace

void add_kernels(const CNetwork& network, Files& files) {
  const auto choice = choice_for(network);
  const auto wanted = with_needs(network, choice);
  const auto packed = packed_sizes(network.graph());
  const auto guard = upper(network.name) + "_KERNELS_H";
  std::string header = fmt::format(
      "/* The kernels of {}: integer C for any processor{}.\n"
      " * Images are [height][width][channels]; buffers do not overlap unless a kernel says that they may. "
      "*/\n"
      "#ifndef {}\n#define {}\n\n#include <stdint.h>\n",
      network.name, choice.dsp ? ", faster where there is the DSP extension" : "", guard, guard);
  std::string source = fmt::format("#include \"{}_kernels.h\"\n", network.name);
  if (wanted.contains("concat") || wanted.contains("pad") || wanted.contains("resize") ||
      wanted.contains("average_pool_take") || wanted.contains("instructions") || wanted.contains("blocks") ||
      wanted.contains("wide/levels"))
    source += "\n#include <string.h>\n";
  if (wanted.contains("rows") || wanted.contains("mve/vectors") || wanted.contains("dsp/windows"))
    source += "\n#include <stddef.h>\n";
  for (const auto& part : parts()) {
    if (!wanted.contains(part.name)) continue;
    if (part.header)
      header.append("\n").append(
          prefixed(template_text(fmt::format("kernels/{}.h", part.name)), network.name));
    if (part.source)
      source.append("\n").append(
          filled(prefixed(template_text(source_path(part, choice)), network.name),
                 {{"SCALE", choice.linear_scale},
                  {"SUMS_ARE_SMALL", choice.small_sums ? "1" : "0"},
                  {"DEPTHWISE_TAPS", std::to_string(most_depthwise_taps(network.graph()))},
                  {"WIDE_LINEAR_SCALE", wide_linear_scale(network)},
                  {"KERNEL_TAPS", std::to_string(most_pixels(network.graph()))},
                  {"CHANNELS", std::to_string(most_grouped_channels(network.graph()))},
                  {"TAPS", std::to_string(most_taps(network.graph()))},
                  {"LINEAR_STEPS", std::to_string(most_linear_steps(network.graph()))},
                  {"ROUNDS_ONCE", linear_rounds_once(network.graph()) ? "1" : "0"},
                  {"PACKED_STEPS", std::to_string(packed.steps)},
                  {"PACKED_ROW_TAPS", std::to_string(packed.row_taps)},
                  {"KERNEL_ROWS", std::to_string(most_rows(network.graph()))}}));
  }
  files[network.name + "_kernels.h"] = header + "\n#endif\n";
  files[network.name + "_kernels.c"] = source;
}

}  // namespace compress
