#include <fmt/format.h>

#include <algorithm>

#include "libcompress/analysis/cost.h"
#include "libcompress/base/files.h"
#include "libcompress/export/process.h"
#include "libcompress/pipeline/model_file.h"
#include "libcompress/pipeline/setup.h"
#include "libcompress/quant/quantized_file.h"
#include "tools/command/figures.h"
#include "tools/command/model_options.h"
#include "tools/command/verb.h"
#include "tools/command/verbs/inspect_int8.h"

namespace compress::command {
namespace {

using nlohmann::json;

struct Arguments {
  ModelArguments model;
  std::string dot;
  std::string svg;
  bool graph = false;
};

json layer_json(const Node& node, const NodeCost& cost, const Shape& shape) {
  return {{"name", node.name},          {"op", node.op},     {"shape", shape},
          {"params", cost.params},      {"macs", cost.macs}, {"activation_bytes", cost.activation_bytes},
          {"ram_bytes", cost.ram_bytes}};
}

/// Draws with Graphviz.
void write_svg(const Graph& graph, const std::string& file) {
  const auto dot = find_program("dot");
  if (!dot)
    throw Error(ErrorKind::input,
                {"--svg", "no program 'dot' in PATH", "Graphviz", "see: libcompress doctor"});
  const TemporaryFolder folder;
  folder.write({{"graph.dot", to_dot(graph)}});
  const auto done = run_program({dot->string(), "-Tsvg", "-o", "graph.svg", "graph.dot"}, folder.path());
  if (done.exit_code != 0) throw Error(ErrorKind::plugin, {"dot", done.output, "", ""});
  write_file(file, read_text(folder.path() / "graph.svg"));
}

int inspect(const Session& session, const Arguments& arguments) {
  const auto loaded = arguments.model.load(session.plugins);
  const Graph& graph = loaded.model.graph;
  if (!arguments.dot.empty()) write_file(arguments.dot, to_dot(graph));
  if (!arguments.svg.empty()) write_svg(graph, arguments.svg);
  const NetworkCost cost = cost_of(graph);
  json object = {{"name", loaded.model.name},
                 {"params", cost.params},
                 {"macs", cost.macs},
                 {"flash_bytes", cost.flash_bytes},
                 {"peak_ram_bytes", cost.peak_ram_bytes},
                 {"batch", batch_text(graph)},
                 {"layers", json::array()},
                 {"fingerprint", fingerprint(graph)}};
  std::vector<std::vector<std::string>> rows = {
      {"layer", "operator", "output", "params", "MACs", "bytes (int8)", "RAM meanwhile"}};
  for (const auto& each : cost.nodes) {
    const Node& node = graph.node(each.node);
    const Shape& shape = graph.value(node.output).shape;
    object["layers"].push_back(layer_json(node, each, shape));
    rows.push_back({node.name, node.op, to_string(shape), grouped(each.params), grouped(each.macs),
                    grouped(each.activation_bytes), grouped(each.ram_bytes)});
  }
  std::string text = arguments.graph ? to_text(graph) + "\n" : "";
  text += table_text(rows);
  text += fmt::format("\nparams {}, MACs {}, 8-bit constants {} bytes, peak RAM {} bytes, batch {}\n",
                      grouped(cost.params), grouped(cost.macs), grouped(cost.flash_bytes),
                      grouped(cost.peak_ram_bytes), batch_text(graph));
  if (loaded.family) {
    for (const auto& [label, figure] : loaded.family->paper_figures(graph)) {
      object["paper"][label] = figure;
      text += fmt::format("{}: {}\n", label, grouped(static_cast<std::int64_t>(figure)));
    }
  }
  session.print(object, text);
  return 0;
}

/// What the file holds, where it is of another framework and not all of it can be read; else nothing.
std::vector<ForeignNode> nodes_not_read(const ModelArguments& arguments) try {
  auto nodes = list_foreign(arguments.file, arguments.input_shapes());
  const bool all = std::all_of(nodes.begin(), nodes.end(), [](const auto& node) { return node.supported; });
  return all ? std::vector<ForeignNode>{} : nodes;
} catch (const Error&) {  // a damaged file: what reading it said is the better answer
  return {};
}

/// The error as every verb tells it, and the listing of the network as far as the file says it.
int list_nodes(const Session& session, const Error& error, const std::vector<ForeignNode>& nodes) {
  json object = {{"error", {{"kind", name_of(error.kind())}, {"message", error.what()}}},
                 {"nodes", json::array()}};
  std::vector<std::vector<std::string>> rows = {{"node", "operator", "inputs", "outputs", "note"}};
  for (const auto& node : nodes) {
    object["nodes"].push_back({{"name", node.name},
                               {"op", node.op},
                               {"inputs", node.inputs},
                               {"outputs", node.outputs},
                               {"supported", node.supported},
                               {"reason", node.reason}});
    rows.push_back({node.name, node.op, fmt::format("{}", fmt::join(node.inputs, ", ")),
                    fmt::format("{}", fmt::join(node.outputs, ", ")),
                    node.supported ? "" : "not supported: " + node.reason});
  }
  session.print(object, table_text(rows));
  fmt::print(stderr, "libcompress: {}\n", error.what());
  return error.exit_code();
}

int inspect_any(const Session& session, const Arguments& arguments) try {
  if (!arguments.model.file.empty() && is_quantized_file(arguments.model.file)) {
    if (!arguments.dot.empty() || !arguments.svg.empty())
      throw Error(ErrorKind::usage, {"inspect", "a drawing of an 8-bit network", "drawings of float networks",
                                     "--graph prints it; Netron opens what `export --to tflite` writes"});
    print_int8(session, load_quantized(arguments.model.file), arguments.graph);
    return 0;
  }
  return inspect(session, arguments);
} catch (const Error& error) {
  const auto nodes =
      error.kind() == ErrorKind::input ? nodes_not_read(arguments.model) : std::vector<ForeignNode>{};
  if (nodes.empty()) throw;
  return list_nodes(session, error, nodes);
}

}  // namespace

Verb inspect_verb() {
  return {"inspect",
          "Show a network's layers with shapes, parameters, MACs and bytes; of 8-bit networks their scales",
          "libcompress inspect network.onnx", [](CLI::App& app) {
            auto arguments = std::make_shared<Arguments>();
            arguments->model.declare(app);
            app.add_flag("--graph", arguments->graph, "print the graph as text first");
            app.add_option("--dot", arguments->dot, "write the graph in Graphviz' language to this file");
            app.add_option("--svg", arguments->svg, "draw the graph into this file (with Graphviz)");
            return [=](const Session& session) { return inspect_any(session, *arguments); };
          }};
}

}  // namespace compress::command
