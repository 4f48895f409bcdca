// CMakeLists.txt, README.md and cortex-m4/.
#include <fmt/format.h>

#include "libcompress/export/c_network.h"
#include "libcompress/export/c_text.h"

namespace compress {
namespace {

/// The board has 4 MiB for code and 4 MiB for variables; larger parts go to its 16 MiB of external memory.
constexpr std::int64_t kOnChipBytes = 3 << 20;

std::vector<std::string> library_sources(const CNetwork& network) {
  std::vector<std::string> sources;
  for (const auto* suffix : {"", "_kernels", "_weights", "_static"})
    sources.push_back(network.name + suffix + ".c");
  if (!network.request.class_names.empty()) sources.push_back(network.name + "_classes.c");
  return sources;
}

std::int64_t vector_bytes(const CNetwork& network) {
  const auto count = static_cast<std::int64_t>(network.request.vectors.size());
  return count * (network.input_bytes() + network.storage.output_bytes);
}

std::string format_of(const QValue& value) {
  return fmt::format("{}, scale {}, zero point {}", to_string(value.shape), value.scale, value.zero_point);
}

std::string output_format(const CNetwork& network) {
  std::string text;
  for (const auto id : network.graph().outputs)
    text += (text.empty() ? "" : "; then ") + format_of(network.graph().value(id));
  return text;
}

/// Harmless inside a Markdown table.
std::string cell(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '|' || c == '`' || c == '<' || c == '[' || c == '*' || c == '_') result += '\\';
    result += c;
  }
  return result;
}

std::string layer_rows(const CNetwork& network) {
  std::string rows;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto& layer = network.layers[i];
    const auto head = fmt::format("{} {}: ", i + 1, comment_text(layer.node->name));
    rows +=
        fmt::format("| {} | {} | {} | {} | {} |\n", i + 1, cell(comment_text(layer.node->name)),
                    cell(layer.title.substr(head.size())),
                    cell(to_string(network.graph().value(layer.node->output).shape)), grouped(layer.macs));
  }
  rows.pop_back();
  return rows;
}

std::string test_section(const CNetwork& network) {
  if (network.request.vectors.empty()) return "";
  std::string core, host;
  for (const auto* suffix : {"", "_kernels", "_weights", "_test", "_vectors"})
    core += network.name + suffix + ".c ";
  host = core + network.name + "_test_host.c";
  return filled(template_text("README_test.md"),
                {{"NAME", network.name},
                 {"VECTOR_COUNT", std::to_string(network.request.vectors.size())},
                 {"TEST_SOURCES", host},
                 {"M4_SOURCES", core + "cortex-m4/startup.c"}});
}

std::string readme(const CNetwork& network) {
  const auto& graph = network.graph();
  std::string optional =
      fmt::format(", and {}_static.c if you call {}_run_static()", network.name, network.name);
  if (!network.request.class_names.empty())
    optional += fmt::format(", {}_classes.c if you use the class names", network.name);
  return filled(template_text("README.md"), {{"NAME", network.name},
                                             {"UPPER", upper(network.name)},
                                             {"INPUT_BYTES", grouped(network.input_bytes())},
                                             {"INPUT_FORMAT", format_of(graph.value(graph.inputs[0]))},
                                             {"OUTPUT_BYTES", grouped(network.storage.output_bytes)},
                                             {"OUTPUT_FORMAT", output_format(network)},
                                             {"ARENA_BYTES", grouped(network.storage.arena_bytes)},
                                             {"CONSTANT_BYTES", grouped(network.constant_bytes())},
                                             {"MACS", grouped(macs_of(graph))},
                                             {"OPTIONAL_FILES", optional},
                                             {"TEST_PART", test_section(network)},
                                             {"LAYER_ROWS", layer_rows(network)}});
}

std::string cmake_lists(const CNetwork& network) {
  std::string sources;
  for (const auto& source : library_sources(network)) sources += (sources.empty() ? "  " : "\n  ") + source;
  const std::string tests =
      network.request.vectors.empty() ? "" : filled(template_text("CMakeTest.txt"), {{"NAME", network.name}});
  return filled(template_text("CMakeLists.txt"),
                {{"NAME", network.name}, {"LIBRARY_SOURCES", sources}, {"TEST_PART", tests}});
}

}  // namespace

void add_build_files(const CNetwork& network, Files& files) {
  files["CMakeLists.txt"] = cmake_lists(network);
  files["README.md"] = readme(network);
  files["cortex-m4/toolchain.cmake"] = template_text("cortex-m4/toolchain.cmake");
  if (network.request.vectors.empty()) return;
  const auto constants = network.constant_bytes() + vector_bytes(network);
  files["cortex-m4/startup.c"] = filled(template_text("cortex-m4/startup.c"), {{"NAME", network.name}});
  files["cortex-m4/linker.ld"] = filled(
      template_text("cortex-m4/linker.ld"),
      {{"CONSTANTS", constants > kOnChipBytes ? "PSRAM" : "CODE"},
       {"VARIABLES",
        network.storage.arena_bytes + network.storage.output_bytes > kOnChipBytes ? "PSRAM" : "SRAM"}});
}

}  // namespace compress
