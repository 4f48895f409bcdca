// NAME_test.c, NAME_test_host.c, NAME_vectors.h and NAME_vectors.c.
#include <fmt/format.h>

#include "libcompress/export/c_network.h"
#include "libcompress/export/c_text.h"

namespace compress {
namespace {

std::string vector_header(const CNetwork& network) {
  const auto name = upper(network.name);
  return fmt::format(
      "/* Inputs and the outputs that the reference computes for them. */\n"
      "#ifndef {1}_VECTORS_H\n#define {1}_VECTORS_H\n\n#include \"{0}.h\"\n\n"
      "#define {1}_VECTOR_COUNT {2}\n"
      "extern const int8_t {0}_vector_inputs[{1}_VECTOR_COUNT][{1}_INPUT_SIZE];\n"
      "extern const int8_t {0}_vector_outputs[{1}_VECTOR_COUNT][{1}_OUTPUT_SIZE];\n\n#endif\n",
      network.name, name, network.request.vectors.size());
}

/// Most likely class of a network that has one score a class: makes the vectors readable.
std::string class_note(const CNetwork& network, const std::vector<std::int8_t>& output) {
  const auto& names = network.request.class_names;
  if (names.size() != output.size() || names.empty()) return "";
  std::size_t best = 0;
  for (std::size_t i = 1; i < output.size(); ++i)
    if (output[i] > output[best]) best = i;
  return ": " + comment_text(names[best]);
}

std::string vector_source(const CNetwork& network) {
  const auto name = upper(network.name);
  std::string inputs, outputs;
  for (std::size_t i = 0; i < network.request.vectors.size(); ++i) {
    const auto& vector = network.request.vectors[i];
    const auto note = fmt::format("/* {}{} */\n", i, class_note(network, vector.output));
    inputs += note + array_body(vector.input) + ",\n";
    outputs += note + array_body(vector.output) + ",\n";
  }
  return fmt::format(
      "#include \"{0}_vectors.h\"\n\n"
      "const int8_t {0}_vector_inputs[{1}_VECTOR_COUNT][{1}_INPUT_SIZE] = {{\n{2}}};\n\n"
      "const int8_t {0}_vector_outputs[{1}_VECTOR_COUNT][{1}_OUTPUT_SIZE] = {{\n{3}}};\n",
      network.name, name, inputs, outputs);
}

}  // namespace

void add_tests(const CNetwork& network, Files& files) {
  const std::map<std::string, std::string> names = {{"NAME", network.name}, {"UPPER", upper(network.name)}};
  files[network.name + "_test.c"] = filled(template_text("test_program.c"), names);
  files[network.name + "_test_host.c"] = filled(template_text("test_host.c"), names);
  files[network.name + "_vectors.h"] = vector_header(network);
  files[network.name + "_vectors.c"] = vector_source(network);
}

}  // namespace compress
