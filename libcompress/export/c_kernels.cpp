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
};

/// In the order of the files: what a part needs stands before it.
const std::vector<Part>& parts() {
  static const std::vector<Part> kParts = {
      {"window", true, false, {}},
      {"clamp", false, true, {}},
      {"fixed_point", false, true, {}},
      {"scale", false, true, {"fixed_point"}},
      {"scale_once", false, true, {}},
      {"taps", false, true, {"window"}},
      {"dot", false, true, {}},
      {"conv", true, true, {"clamp", "scale", "taps", "dot"}},
      {"depthwise", true, true, {"clamp", "scale", "taps"}},
      {"linear", true, true, {"clamp", "dot"}},  // and a scale by the profile
      {"max_pool", true, true, {"clamp", "taps"}},
      {"average_pool", true, true, {"clamp", "taps"}},
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
  const auto wanted = with_needs(network, linear_scale);
  const auto guard = upper(network.name) + "_KERNELS_H";
  std::string header = fmt::format(
      "/* The kernels of {}: plain integer C for any processor. Images are [height][width][channels]; "
      "buffers do not\n"
      " * overlap unless a kernel says that they may. */\n#ifndef {}\n#define {}\n\n#include <stdint.h>\n",
      network.name, guard, guard);
  std::string source = fmt::format("#include \"{}_kernels.h\"\n", network.name);
  if (wanted.contains("concat")) source += "\n#include <string.h>\n";
  for (const auto& part : parts()) {
    if (!wanted.contains(part.name)) continue;
    const auto path = fmt::format("kernels/{}", part.name);
    if (part.header) header.append("\n").append(prefixed(template_text(path + ".h"), network.name));
    if (part.source)
      source.append("\n").append(
          filled(prefixed(template_text(path + ".c"), network.name), {{"SCALE", linear_scale}}));
  }
  files[network.name + "_kernels.h"] = header + "\n#endif\n";
  files[network.name + "_kernels.c"] = source;
}

}  // namespace compress
