#include "tools/command/verbs/inspect_int8.h"

#include <fmt/format.h>

#include "libcompress/export/storage.h"
#include "libcompress/export/stream_plan.h"

namespace compress::command {
namespace {

using nlohmann::json;

std::int64_t constant_bytes(const QuantizedGraph& graph, const QNode& node) {
  std::int64_t bytes = 0;
  for (const auto id : node.inputs)
    if (const auto& constant = graph.value(id).constant; !constant.empty())
      bytes += static_cast<std::int64_t>(constant.byte_count());
  return bytes;
}

json value_json(const QValue& value) {
  return {{"name", value.name},
          {"dtype", name_of(value.dtype)},
          {"shape", value.shape},
          {"scale", value.scale},
          {"zero_point", value.zero_point}};
}

/// Bytes of activations that C needs without the caller's input and output: whole tensors, and rows where
/// the network can stream.
json memory_json(const QuantizedGraph& graph) {
  json memory = {{"whole", assign_storage(graph).arena_bytes}};
  if (const auto plan = plan_stream(graph)) memory["stream"] = plan->total_bytes();
  return memory;
}

}  // namespace

void print_int8(const Session& session, const QuantizedGraph& graph, bool as_text) {
  const auto memory = memory_json(graph);
  json object = {{"name", graph.name},     {"profile", graph.profile},
                 {"macs", macs_of(graph)}, {"constant_bytes", constant_bytes_of(graph)},
                 {"arena_bytes", memory},  {"input", value_json(graph.value(graph.inputs.front()))},
                 {"layers", json::array()}};
  std::vector<std::vector<std::string>> rows = {
      {"layer", "operator", "output", "scale", "zero point", "MACs", "constant bytes"}};
  for (const auto& node : graph.nodes) {
    const auto& output = graph.value(node.output);
    const auto macs = macs_of(graph, node), bytes = constant_bytes(graph, node);
    object["layers"].push_back({{"name", node.name},
                                {"op", name_of(node.op)},
                                {"output", value_json(output)},
                                {"macs", macs},
                                {"constant_bytes", bytes}});
    const auto dtype = output.dtype == DType::int8 ? "" : std::string(name_of(output.dtype)) + " ";
    rows.push_back({node.name, std::string(name_of(node.op)), dtype + to_string(output.shape),
                    fmt::format("{:.6g}", output.scale), std::to_string(output.zero_point), grouped(macs),
                    grouped(bytes)});
  }
  std::string text = as_text ? to_text(graph) + "\n" : "";
  text += table_text(rows);
  text += fmt::format("\nprofile {}, MACs {}, constants {} bytes, activations {} bytes", graph.profile,
                      grouped(macs_of(graph)), grouped(constant_bytes_of(graph)),
                      grouped(memory["whole"].get<std::int64_t>()));
  if (memory.contains("stream"))
    text += fmt::format(", streamed {}", grouped(memory["stream"].get<std::int64_t>()));
  session.print(object, text + "\n");
}

}  // namespace compress::command
