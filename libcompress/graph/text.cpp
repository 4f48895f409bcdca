#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "libcompress/base/checked.h"
#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/graph/graph.h"

namespace compress {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostValues = 1'000'000;

std::string attribute_text(const Attribute& attribute) {
  if (const auto* flag = std::get_if<bool>(&attribute)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&attribute)) return std::to_string(*integer);
  if (const auto* number = std::get_if<double>(&attribute)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<std::string>(&attribute)) return *text;
  return to_string(std::get<std::vector<std::int64_t>>(attribute));
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

Json to_json(const Attribute& attribute) {
  return std::visit([](const auto& value) { return Json(value); }, attribute);
}

Attribute attribute_from(const Json& json, const std::string& where) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) return json.get<std::vector<std::int64_t>>();
  throw Error(ErrorKind::input, {where, "an attribute of type " + std::string(json.type_name()),
                                 "true/false, a number, a string or a list of integers", ""});
}

std::string_view kind_name(ValueKind kind) {
  switch (kind) {
    case ValueKind::input:
      return "input";
    case ValueKind::parameter:
      return "parameter";
    case ValueKind::buffer:
      return "buffer";
    case ValueKind::activation:
      return "activation";
  }
  return "";
}

void read_value(Graph& graph, const Json& json, const std::string& where) {
  const auto kind = json.at("kind").get<std::string>();
  const auto name = json.at("name").get<std::string>();
  const auto shape = json.at("shape").get<Shape>();
  checked_product(shape, where + ": value '" + name + "'");
  if (kind == "input") {
    graph.add_input(name, shape);
  } else if (kind == "parameter") {
    graph.add_parameter(name, shape);
  } else if (kind == "buffer") {
    graph.add_buffer(name, shape);
  } else {
    throw Error(ErrorKind::input,
                {where + ": value '" + name + "'", "kind '" + kind + "'", "input, parameter, buffer", ""});
  }
}

ValueId value_named(const Graph& graph, const std::string& name, const std::string& where) {
  if (const auto id = graph.find_value(name)) return *id;
  throw Error(ErrorKind::input,
              {where, "a value '" + name + "' that nothing makes", "inputs, parameters, earlier nodes", ""});
}

void read_node(Graph& graph, const Json& json, const std::string& where) {
  const auto name = json.at("name").get<std::string>();
  const auto place = where + ": node '" + name + "'";
  std::vector<ValueId> inputs;
  for (const auto& input : json.at("inputs"))
    inputs.push_back(value_named(graph, input.get<std::string>(), place));
  Attributes attributes;
  for (const auto& [key, value] : json.at("attributes").items())
    attributes.set(key, attribute_from(value, place));
  graph.add_node(json.at("op").get<std::string>(), name, inputs, attributes);
}

}  // namespace

std::string to_text(const Graph& graph) {
  std::string text;
  for (const auto id : graph.inputs()) {
    const auto& value = graph.value(id);
    text += fmt::format("{}: input -> {}\n", value.name, to_string(value.shape));
  }
  for (const auto id : graph.topological_order()) {
    const auto& node = graph.node(id);
    std::string inputs;
    for (const auto input : node.inputs) inputs += (inputs.empty() ? "" : ", ") + graph.value(input).name;
    text += fmt::format("{}: {}({})", node.name, node.op, inputs);
    for (const auto& [name, attribute] : node.attributes.items())
      text += fmt::format(" {}={}", name, attribute_text(attribute));
    text += fmt::format(" -> {}\n", to_string(graph.value(node.output).shape));
  }
  return text;
}

std::string to_dot(const Graph& graph) {
  std::string dot = "digraph network {\n  node [shape=box, fontname=\"sans-serif\"];\n";
  for (const auto id : graph.inputs()) {
    const auto& value = graph.value(id);
    dot += fmt::format("  v{} [label=\"{}\\n{}\", shape=oval];\n", index_of(id), escaped(value.name),
                       to_string(value.shape));
  }
  for (const auto& node : graph.nodes()) {
    dot += fmt::format("  n{} [label=\"{}\\n{}\\n{}\"];\n", index_of(node.id), escaped(node.name), node.op,
                       to_string(graph.value(node.output).shape));
    for (const auto input : node.inputs) {
      const auto& value = graph.value(input);
      if (value.producer) dot += fmt::format("  n{} -> n{};\n", index_of(*value.producer), index_of(node.id));
      if (value.kind == ValueKind::input)
        dot += fmt::format("  v{} -> n{};\n", index_of(input), index_of(node.id));
    }
  }
  return dot + "}\n";
}

std::string graph_to_json(const Graph& graph) {
  Json json;
  json["format"] = "libcompress graph 1";
  json["values"] = Json::array();
  for (const auto& value : graph.values()) {
    if (value.kind == ValueKind::activation) continue;
    json["values"].push_back({{"name", value.name}, {"kind", kind_name(value.kind)}, {"shape", value.shape}});
  }
  json["nodes"] = Json::array();
  for (const auto& node : graph.nodes()) {
    Json inputs = Json::array();
    for (const auto input : node.inputs) inputs.push_back(graph.value(input).name);
    Json attributes = Json::object();
    for (const auto& [name, attribute] : node.attributes.items()) attributes[name] = to_json(attribute);
    json["nodes"].push_back(
        {{"name", node.name}, {"op", node.op}, {"inputs", inputs}, {"attributes", attributes}});
  }
  json["outputs"] = Json::array();
  for (const auto output : graph.outputs()) json["outputs"].push_back(graph.value(output).name);
  return json.dump();
}

Graph graph_from_json(std::string_view text, std::string_view where) {
  const std::string place(where);
  Graph graph;
  try {
    const Json json = Json::parse(text);
    if (json.at("format") != "libcompress graph 1")
      throw Error(ErrorKind::input,
                  {place, "format " + json.at("format").dump(), "\"libcompress graph 1\"", ""});
    if (json.at("values").size() + json.at("nodes").size() > kMostValues)
      throw Error(ErrorKind::input, {place, "too many values", fmt::format("{} at most", kMostValues), ""});
    for (const auto& value : json.at("values")) read_value(graph, value, place);
    for (const auto& node : json.at("nodes")) read_node(graph, node, place);
    std::vector<ValueId> outputs;
    for (const auto& output : json.at("outputs"))
      outputs.push_back(value_named(graph, output.get<std::string>(), place));
    graph.set_outputs(outputs);
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::input,
                {place, std::string("no graph: ") + error.what(), "the layout in docs/formats.md", ""});
  }
  verify(graph);
  return graph;
}

std::string fingerprint(const Graph& graph) { return content_hash(graph_to_json(graph)); }

}  // namespace compress
