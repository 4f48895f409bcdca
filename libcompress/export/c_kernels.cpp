// NAME_kernels.h and NAME_kernels.c: the parts of templates/kernels that the network needs.
#include <fmt/format.h>

#include <functional>

#include "libcompress/export/c_network.h"
#include "libcompress/export/c_text.h"

namespace compress {
namespace {

struct Part {
  std::string name;
  bool header, source;
  std::vector<std::string> needs;
  bool has_dsp = false;  ///< another source in kernels/dsp
};

/// In the order of the files: what a part needs stands before it.
const std::vector<Part>& parts() {
  static const std::vector<Part> kParts = {
      {"window", true, false, {}},
      {"instructions", false, true, {}, true},
      {"clamp", false, true, {}},
      {"fixed_point", false, true, {}, true},
      {"scale", false, true, {"fixed_point"}, true},
      {"scale_once", false, true, {}},
      {"columns", false, true, {"window"}},
      {"taps", false, true, {"columns"}},
      {"dot", false, true, {}, true},
      {"rows", true, true, {}},
      {"conv_layer", true, false, {"window"}},
      {"conv", true, true, {"conv_layer", "clamp", "scale", "taps", "dot"}, true},
      {"conv_rows", true, true, {"conv_layer", "clamp", "scale", "columns", "dot"}},
      {"depthwise_layer", true, false, {"window"}},
      {"depthwise", true, true, {"depthwise_layer", "clamp", "scale", "taps"}, true},
      {"depthwise_rows", true, true, {"depthwise_layer", "clamp", "scale", "columns"}},
      {"linear", true, true, {"clamp", "dot"}},  // and a scale by the profile
      {"max_pool_layer", true, false, {"window"}},
      {"max_pool", true, true, {"max_pool_layer", "clamp", "taps"}, true},
      {"max_pool_row", false, true, {"max_pool_layer", "clamp", "columns"}},
      {"max_pool_rows", true, true, {"max_pool_row"}},
      {"max_pool_take", true, true, {"max_pool_row"}},
      {"average_pool_layer", true, false, {"window"}},
      {"average_pool", true, true, {"average_pool_layer", "clamp", "taps"}},
      {"average_pool_row", false, true, {"average_pool_layer", "clamp", "columns"}},
      {"average_pool_rows", true, true, {"average_pool_row"}},
      {"average_pool_take", true, true, {"average_pool_row"}},
      {"requantize_layer", true, true, {"clamp", "scale"}},
      {"add", true, true, {"clamp", "scale"}},
      {"concat", true, true, {}},
      {"transpose", true, true, {}},
      {"softmax", true, true, {"clamp", "fixed_point"}},
  };
  return kParts;
}

std::set<std::string> with_needs(const CNetwork& network, const std::string& linear_scale) {
  std::set<std::string> all = network.kernels;
  if (all.contains("linear")) all.insert(linear_scale);
  for (auto part = parts().rbegin(); part != parts().rend(); ++part)
    if (all.contains(part->name)) all.insert(part->needs.begin(), part->needs.end());
  return all;
}

/// Where the source of a part is, for the instructions that the network may use.
std::string source_path(const Part& part, bool dsp) {
  return fmt::format("kernels/{}{}.c", dsp && part.has_dsp ? "dsp/" : "", part.name);
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
  const std::string linear_scale = linear_rounds_once(network.graph()) ? "scale_once" : "scale";
  const bool dsp = network.request.instructions >= InstructionSet::dsp;
  auto wanted = with_needs(network, linear_scale);
  if (dsp && !wanted.empty()) wanted.insert("instructions");
  const auto guard = upper(network.name) + "_KERNELS_H";
  std::string header = fmt::format(
      "/* The kernels of {}: integer C for any processor{}.\n"
      " * Images are [height][width][channels]; buffers do not overlap unless a kernel says that they may. "
      "*/\n"
      "#ifndef {}\n#define {}\n\n#include <stdint.h>\n",
      network.name, dsp ? ", faster where there is the DSP extension" : "", guard, guard);
  std::string source = fmt::format("#include \"{}_kernels.h\"\n", network.name);
  if (wanted.contains("concat") || wanted.contains("average_pool_take")) source += "\n#include <string.h>\n";
  if (wanted.contains("rows")) source += "\n#include <stddef.h>\n";
  for (const auto& part : parts()) {
    if (!wanted.contains(part.name)) continue;
    if (part.header)
      header.append("\n").append(
          prefixed(template_text(fmt::format("kernels/{}.h", part.name)), network.name));
    if (part.source)
      source.append("\n").append(
          filled(prefixed(template_text(source_path(part, dsp)), network.name), {{"SCALE", linear_scale}}));
  }
  files[network.name + "_kernels.h"] = header + "\n#endif\n";
  files[network.name + "_kernels.c"] = source;
}

}  // namespace compress
