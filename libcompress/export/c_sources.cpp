// NAME.h, NAME.c, NAME_static.c and NAME_classes.c.
#include <fmt/format.h>

#include <algorithm>

#include "libcompress/export/c_network.h"
#include "libcompress/export/c_text.h"

namespace compress {
namespace {

/// Macros about one input or output, named PREFIX_SCALE and so on.
std::string value_macros(const CNetwork& network, QValueId id, const std::string& what,
                         const std::string& prefix) {
  const auto& value = network.graph().value(id);
  const auto full = upper(network.name) + "_" + prefix;
  return fmt::format(
      "/* {} '{}': int8_t {}; a byte q means {}_SCALE * (q - {}_ZERO_POINT). */\n"
      "#define {}_SCALE {}\n"
      "#define {}_ZERO_POINT ({})\n",
      what, comment_text(value.name), to_string(value.shape), full, full, full, float_literal(value.scale),
      full, value.zero_point);
}

std::string macros(const CNetwork& network) {
  const auto& graph = network.graph();
  const auto name = upper(network.name);
  std::string text = "/* Sizes in bytes of the caller's buffers. */\n";
  text += fmt::format("#define {}_INPUT_SIZE {}\n", name, network.input_bytes());
  text += fmt::format("#define {}_OUTPUT_SIZE {}\n", name, network.storage.output_bytes);
  text += fmt::format(
      "#define {}_ARENA_SIZE {}{}\n\n", name, network.arena_macro(),
      network.storage.arena_bytes == 0 ? " /* nothing is kept there, but C has no empty arrays */" : "");
  text += value_macros(network, graph.inputs[0], "The input", "INPUT");
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    const bool only = graph.outputs.size() == 1;
    const auto prefix = only ? "OUTPUT" : fmt::format("OUTPUT{}", i);
    text.append("\n").append(
        value_macros(network, graph.outputs[i], only ? "The output" : fmt::format("Output {}", i), prefix));
    if (!only) text += fmt::format("#define {}_{}_OFFSET {}\n", name, prefix, offset);
    offset += bytes_of(graph, graph.outputs[i]);
  }
  return text;
}

std::string class_lines(const CNetwork& network) {
  const auto& names = network.request.class_names;
  if (names.empty()) return "";
  std::string text = "/* Classes, in the order of the output:\n";
  for (std::size_t i = 0; i < names.size(); ++i)
    text += fmt::format(" * {:3} {}\n", i, comment_text(names[i]));
  const auto name = upper(network.name);
  return text + fmt::format(
                    " */\n#define {}_CLASS_COUNT {}\n"
                    "extern const char *const {}_class_names[{}_CLASS_COUNT];\n\n",
                    name, names.size(), network.name, name);
}

/// "void NAME_run(...)", its parameters one below the other.
std::string run_signature(const CNetwork& network) {
  const auto opening = fmt::format("void {}_run(", network.name);
  const auto name = upper(network.name);
  return fmt::format(
      "{0}uint8_t arena[{1}_ARENA_SIZE],\n{2}const int8_t input[{1}_INPUT_SIZE],\n{2}int8_t "
      "output[{1}_OUTPUT_SIZE])",
      opening, name, std::string(opening.size(), ' '));
}

std::string run_static_signature(const CNetwork& network) {
  const auto opening = fmt::format("void {}_run_static(", network.name);
  const auto name = upper(network.name);
  return fmt::format("{0}const int8_t input[{1}_INPUT_SIZE],\n{2}int8_t output[{1}_OUTPUT_SIZE])", opening,
                     name, std::string(opening.size(), ' '));
}

std::string header(const CNetwork& network) {
  return filled(template_text("network.h"), {{"NAME", network.name},
                                             {"UPPER", upper(network.name)},
                                             {"MACS", grouped(macs_of(network.graph()))},
                                             {"MACROS", macros(network)},
                                             {"CLASSES", class_lines(network)},
                                             {"STREAM", network.stream ? stream_declarations(network) : ""},
                                             {"RUN", run_signature(network)},
                                             {"RUN_STATIC", run_static_signature(network)}});
}

/// Several lines of the file's opening comment: what lies where in the arena, and when.
std::string arena_map(const CNetwork& network) {
  if (network.storage.arena.empty()) return "";
  std::string text =
      fmt::format(" *\n * The arena, {} bytes{}. Layers from .. to keep what lies there:\n *\n",
                  network.storage.arena_bytes,
                  network.storage.minimal ? ", as small as it can be with whole tensors" : "");
  text += " *     offset      bytes  layers     tensor\n";
  for (const auto& tensor : network.storage.arena)
    text += fmt::format(" * {:10} {:10}  {:3} .. {:<3} {}\n", tensor.offset, tensor.bytes,
                        tensor.first_node + 1, tensor.last_node + 1, comment_text(tensor.name));
  return text;
}

std::string layer_comment(const CLayer& layer) {
  return fmt::format("/* {}.\n * {}{} */\n", layer.title, layer.shapes,
                     layer.macs ? ", " + grouped(layer.macs) + " multiply-accumulates." : ".");
}

std::string address_of(const Place& place) {
  switch (place.where) {
    case Place::Where::input:
      return address("input", place.offset);
    case Place::Where::output:
      return address("output", place.offset);
    default:
      return address("memory", place.offset);
  }
}

std::string run_function(const CNetwork& network) {
  auto text = run_signature(network) + " {\n";
  text += network.storage.arena.empty() ? "  (void)arena;\n" : "  int8_t *const memory = (int8_t *)arena;\n";
  for (const auto& layer : network.layers) text += layer_call(network, layer);
  return text + final_copies(network) + "}\n";
}

std::string source(const CNetwork& network) {
  std::string functions;
  for (const auto& layer : network.layers)
    if (!layer.function.empty()) functions.append("\n").append(layer_function(layer));
  functions.append("\n").append(run_function(network));
  std::string text =
      fmt::format("/* {}: one function a layer, called in order by {}_run().\n{} */\n#include \"{}.h\"\n\n",
                  network.name, network.name, arena_map(network), network.name);
  if (functions.find("memcpy(") != functions.npos) text += "#include <string.h>\n\n";
  if (!network.kernels.empty()) text += fmt::format("#include \"{}_kernels.h\"\n", network.name);
  if (!network.constants.empty()) text += fmt::format("#include \"{}_weights.h\"\n", network.name);
  return text + functions;
}

std::string static_source(const CNetwork& network) {
  return fmt::format(
      "#include \"{0}.h\"\n\nstatic uint8_t arena[{1}_ARENA_SIZE];\n\n{2} {{\n  {0}_run(arena, input, "
      "output);\n}}\n",
      network.name, upper(network.name), run_static_signature(network));
}

std::string class_source(const CNetwork& network) {
  std::string text =
      fmt::format("#include \"{0}.h\"\n\nconst char *const {0}_class_names[{1}_CLASS_COUNT] = {{\n",
                  network.name, upper(network.name));
  for (const auto& name : network.request.class_names) text += fmt::format("    {},\n", string_literal(name));
  return text + "};\n";
}

}  // namespace

std::string layer_function(const CLayer& layer) {
  return fmt::format("{}static void {}({}) {{\n{}}}\n", layer_comment(layer), layer.function,
                     layer.parameters, layer.body);
}

std::string address(std::string_view base, std::int64_t offset) {
  return offset == 0 ? std::string(base) : fmt::format("{} + {}", base, offset);
}

std::string layer_call(const CNetwork& network, const CLayer& layer) {
  if (layer.function.empty()) return fmt::format("  /* {} */\n", layer.title);
  const auto& places = network.storage.places;
  std::string arguments;
  for (const auto id : layer.node->inputs)
    if (network.graph().value(id).constant.empty()) arguments += address_of(places[index_of(id)]) + ", ";
  return fmt::format("  {}({}{});\n", layer.function, arguments,
                     address_of(places[index_of(layer.node->output)]));
}

std::string final_copies(const CNetwork& network) {
  std::string text;
  for (const auto& copy : network.storage.copies)
    text += fmt::format("  memcpy({}, {}, {});\n", address("output", copy.output_offset),
                        address_of(network.storage.places[index_of(copy.from)]),
                        bytes_of(network.graph(), copy.from));
  return text;
}

void add_sources(const CNetwork& network, Files& files) {
  files[network.name + ".h"] = header(network);
  files[network.name + ".c"] = network.stream ? stream_source(network) : source(network);
  files[network.name + "_static.c"] = static_source(network);
  if (!network.request.class_names.empty()) files[network.name + "_classes.c"] = class_source(network);
}

}  // namespace compress
