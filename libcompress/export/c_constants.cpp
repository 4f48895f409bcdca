// NAME_weights.h and NAME_weights.c.
#include <fmt/format.h>

#include "libcompress/export/c_network.h"
#include "libcompress/export/c_text.h"

namespace compress {
namespace {

std::string declaration(const CConstant& constant) {
  const auto of = [&](const char* type, std::size_t count) {
    return fmt::format("const {} {}[{}]", type, constant.name, count);
  };
  if (!constant.longs.empty()) return of("int64_t", constant.longs.size());
  return constant.words.empty() ? of("int8_t", constant.bytes.size()) : of("int32_t", constant.words.size());
}

std::string body(const CConstant& constant) {
  if (!constant.longs.empty()) return array_body(constant.longs);
  return constant.words.empty() ? array_body(constant.bytes) : array_body(constant.words);
}

}  // namespace

void add_constants(const CNetwork& network, Files& files) {
  const auto guard = upper(network.name) + "_WEIGHTS_H";
  std::string header = fmt::format(
      "/* The constants of {}, {} bytes. A layer's sum is scaled by multiplier * 2^(shift - 31) of its "
      "channel. */\n"
      "#ifndef {}\n#define {}\n\n#include <stdint.h>\n\n",
      network.name, network.constant_bytes(), guard, guard);
  std::string source = fmt::format("#include \"{}_weights.h\"\n", network.name);
  if (network.constants.empty()) source = fmt::format("/* {} has no constants. */\n{}", network.name, source);
  for (const auto& constant : network.constants) {
    header += fmt::format("extern {};\n", declaration(constant));
    source += fmt::format("\n/* {} */\n{} = {};\n", constant.comment, declaration(constant), body(constant));
  }
  files[network.name + "_weights.h"] = header + (network.constants.empty() ? "" : "\n") + "#endif\n";
  files[network.name + "_weights.c"] = source;
}

}  // namespace compress
