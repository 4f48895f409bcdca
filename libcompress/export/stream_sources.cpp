// NAME.c of a network whose front streams. The schedule is stream_plan.h's: advance_NN() makes what rows of a
// layer can be made and hands each on before it makes the next.
#include <fmt/format.h>

#include <algorithm>

#include "libcompress/export/c_network.h"
#include "libcompress/export/c_text.h"
#include "libcompress/export/stream_plan.h"

namespace compress {
namespace {

class StreamSource {
 public:
  explicit StreamSource(const CNetwork& network) : network_(network), plan_(*network.stream) {
    const bool wide = plan_.counter_bytes > 2 * static_cast<std::int64_t>(streamed().size());
    counter_ = wide ? "uint32_t" : "uint16_t";
  }

  std::string text() const {
    std::string text = opening() + counts();
    for (const auto node : running()) text += advance_head(node) + ";\n";
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      if (!network_.layers[i].function.empty()) text.append("\n").append(layer_function(network_.layers[i]));
      if (i < plan_.front.size()) text += advance_function(i);
    }
    return text + interface();
  }

 private:
  const QuantizedGraph& graph() const { return plan_.graph; }
  const StreamedValue& value(QValueId id) const { return plan_.values[index_of(id)]; }

  /// The value whose rows these are.
  QValueId original(QValueId id) const {
    for (std::size_t i = plan_.front.size(); i-- > 0;)
      if (plan_.front[i].making == Making::rename && graph().nodes[i].output == id)
        id = graph().nodes[i].inputs[0];
    return id;
  }

  /// The values with a count of rows, and nodes that run in the front, in order.
  std::vector<QValueId> streamed() const {
    std::vector<QValueId> ids = {graph().inputs[0]};
    for (const auto node : running()) ids.push_back(graph().nodes[node].output);
    return ids;
  }
  std::vector<std::size_t> running() const {
    std::vector<std::size_t> nodes;
    for (std::size_t i = 0; i < plan_.front.size(); ++i)
      if (plan_.front[i].making != Making::rename) nodes.push_back(i);
    return nodes;
  }

  std::string stem(std::size_t node) const {
    return network_.layers[node].function.substr(sizeof "layer_" - 1);
  }
  std::string advance_name(std::size_t node) const { return "advance_" + stem(node); }
  bool cumulates(std::size_t node) const { return plan_.front[node].making == Making::cumulate; }

  /// One that cumulates is told how many rows are new.
  std::string advance_head(std::size_t node) const {
    return fmt::format("static void {}(stream *s{})", advance_name(node),
                       cumulates(node) ? ", int32_t rows" : "");
  }

  /// The field that counts the rows of a value: "input", "of_03_conv2".
  std::string field(QValueId id) const {
    id = original(id);
    for (const auto node : running())
      if (graph().nodes[node].output == id) return "of_" + stem(node);
    return "input";
  }
  std::string count(QValueId id) const { return "s->made." + field(id); }

  /// The address of the row whose number the expression `row` gives.
  std::string row_address(QValueId id, const std::string& row) const {
    const auto& streamed = value(id);
    auto text = address("s->memory", streamed.offset);
    if (streamed.slides_for)
      return fmt::format("{} + ({} - {}) * {}", text, row, first_kept(id), streamed.row_bytes);
    if (streamed.rows == 1) return text;
    const auto slot = streamed.rows >= streamed.count ? row : fmt::format("{} % {}", row, streamed.rows);
    return streamed.row_bytes == 1 ? fmt::format("{} + {}", text, slot)
                                   : fmt::format("{} + {} * {}", text, slot, streamed.row_bytes);
  }

  /// The number of the row that lies first where rows slide.
  std::string first_kept(QValueId id) const {
    const auto& reader = graph().nodes[*value(id).slides_for];
    const auto window = row_window(reader);
    auto text = fmt::format("{} * {}", count(reader.output), window.stride);
    return window.padding > 0 ? fmt::format("({} - {})", text, window.padding) : text;
  }

  std::string opening() const {
    const bool all = plan_.front.size() == graph().nodes.size();
    auto text =
        fmt::format("/* {}: layers 1 to {} make their rows as soon as the rows they read are there{}.\n",
                    network_.name, plan_.front.size(), all ? "" : "; those behind work on whole tensors");
    if (plan_.swapped)
      text += " * Height and width have changed places, so that what was a column is a row.\n";
    text += fmt::format(
        " *\n * The state, {} bytes, of which {} count rows. Layers from .. to keep what lies there:\n *\n",
        plan_.total_bytes(), plan_.counter_bytes);
    text += " *     offset      bytes  layers     tensor\n";
    for (const auto& tensor : plan_.arena)
      text += fmt::format(" * {:10} {:10}  {:3} .. {:<3} {}\n", tensor.offset, tensor.bytes,
                          tensor.first_node + 1, tensor.last_node + 1, comment_text(tensor.name));
    text += fmt::format(" */\n#include \"{0}.h\"\n\n#include <string.h>\n\n#include \"{0}_kernels.h\"\n",
                        network_.name);
    if (!network_.constants.empty()) text += fmt::format("#include \"{}_weights.h\"\n", network_.name);
    return text;
  }

  std::string counts() const {
    std::string text = "\n/* How many rows were made so far. */\ntypedef struct {\n";
    for (const auto id : streamed()) text += fmt::format("  {} {};\n", counter_, field(id));
    return text +
           "} row_counts;\n\ntypedef struct {\n  row_counts made;\n  int8_t *memory;\n} stream;\n\n"
           "/* Make what rows can be made and hand each on to the layers that read it. */\n";
  }

  /// Calls of the layers that read the `rows` new rows of `id`, in order.
  std::string hand_on(QValueId id, const std::string& rows, const std::string& indent) const {
    std::string text;
    for (const auto node : running()) {
      const auto inputs = activations_of(graph(), graph().nodes[node]);
      const bool reads = std::any_of(inputs.begin(), inputs.end(),
                                     [&](QValueId input) { return original(input) == original(id); });
      if (reads)
        text += fmt::format("{}{}(s{});\n", indent, advance_name(node), cumulates(node) ? ", " + rows : "");
    }
    return text;
  }

  std::string advance_function(std::size_t i) const {
    if (plan_.front[i].making == Making::rename) return "";
    const auto head = "\n" + advance_head(i) + " {\n";
    switch (plan_.front[i].making) {
      case Making::window:
        return head + windows(i) + "}\n";
      case Making::block:
        return head + blocks(i) + "}\n";
      case Making::cumulate:
        return head + cumulation(i) + "}\n";
      default:
        return head + single_rows(i) + "}\n";
    }
  }

  std::string made(QValueId output, const std::string& indent) const {
    return fmt::format("{}{}++;\n", indent, count(output)) + hand_on(output, "1", indent);
  }

  std::string windows(std::size_t i) const {
    const auto& node = graph().nodes[i];
    const auto window = row_window(node);
    const auto& from = value(node.inputs[0]);
    auto text = fmt::format(
        "  static const {}_rows layout = {{\n"
        "      .kernel = {}, .stride = {}, .padding = {}, .dilation = {},\n"
        "      .inputs = {}, .outputs = {}, .kept = {}, .row_bytes = {},\n  }};\n"
        "  const int8_t *rows[{}];\n",
        network_.name, window.kernel, window.stride, window.padding, window.dilation, from.count,
        value(node.output).count, from.rows, from.row_bytes, window.kernel);
    text += fmt::format("  while ({}_find_rows(&layout, {},\n                         {}, {}, rows)) {{\n",
                        network_.name, address("s->memory", from.offset), count(node.inputs[0]),
                        count(node.output));
    text += fmt::format("    {}(rows, {});\n", network_.layers[i].function,
                        row_address(node.output, count(node.output)));
    return text + made(node.output, "    ") + "  }\n";
  }

  std::string blocks(std::size_t i) const {
    const auto& node = graph().nodes[i];
    const auto window = row_window(node);
    const auto& from = value(node.inputs[0]);
    const auto block = plan_.front[i].block;
    const auto ready = fmt::format("{}_block_ready(&layout, front, {}, {})", network_.name,
                                   count(node.inputs[0]), count(node.output));
    auto text = fmt::format(
        "  static const {}_block layout = {{\n"
        "      .rows = {}, .inputs_under = {}, .stride = {}, .padding = {},\n"
        "      .inputs = {}, .outputs = {}, .row_bytes = {}, .zero_point = {},\n  }};\n",
        network_.name, block, window.under(block), window.stride, window.padding, from.count,
        value(node.output).count, from.row_bytes, graph().value(node.inputs[0]).zero_point);
    text += fmt::format("  int8_t *const front = {};\n  int32_t rows = {};\n  while (rows > 0) {{\n",
                        address("s->memory", from.offset), ready);
    text += fmt::format("    {}(front, {});\n", network_.layers[i].function,
                        row_address(node.output, count(node.output)));
    text += fmt::format("    {}_leave_block(&layout, front, {}, {});\n", network_.name, count(node.inputs[0]),
                        count(node.output));
    return text + counted_up(node.output, "rows", "    ") + hand_on(node.output, "rows", "    ") +
           fmt::format("    rows = {};\n  }}\n", ready);
  }

  std::string counted_up(QValueId id, const std::string& by, const std::string& indent) const {
    return fmt::format("{0}{1} = ({2})({1} + ({2}){3});\n", indent, count(id), counter_, by);
  }

  std::string single_rows(std::size_t i) const {
    const auto& node = graph().nodes[i];
    const auto row = count(node.output);
    std::string there, arguments;
    for (const auto id : activations_of(graph(), node))
      there += (there.empty() ? "" : " && ") + fmt::format("{} > {}", count(id), row);
    for (const auto id : node.inputs)
      if (graph().value(id).constant.empty()) arguments += row_address(id, row) + ", ";
    return fmt::format("  while ({}) {{\n    {}({}{});\n", there, network_.layers[i].function, arguments,
                       row_address(node.output, row)) +
           made(node.output, "    ") + "  }\n";
  }

  /// The rows first .. end - 1 of the input are those under the windows of the next row of output.
  std::string cumulation(std::size_t i) const {
    const auto& node = graph().nodes[i];
    const auto window = row_window(node);
    const auto& from = value(node.inputs[0]);
    const bool sums = std::holds_alternative<QAvgPool>(node.op);
    auto begin = fmt::format("{} * {}", count(node.output), window.stride);
    if (window.padding > 0) begin += fmt::format(" - {}", window.padding);
    auto text = fmt::format(
        "  const int32_t given = (int32_t){};\n  int32_t row = given - rows;\n"
        "  while (row < given && {} < {}) {{\n    const int32_t begin = (int32_t){};\n",
        count(node.inputs[0]), count(node.output), value(node.output).count, begin);
    text += fmt::format("    const int32_t first = {};\n",
                        window.padding > 0 ? "begin > 0 ? begin : 0" : "begin");
    text += fmt::format("    const int32_t end = begin + {0} < {1} ? begin + {0} : {1};\n", window.kernel,
                        from.count);
    text += "    const int32_t next = end < given ? end : given;\n";
    if (window.stride > window.kernel)
      text += "    if (row < first) row = first;\n    if (row >= given) return;\n";
    text += fmt::format("    {}({}, next - row, row == first, next == end ? end - first : 0, {}{});\n",
                        network_.layers[i].function, row_address(node.inputs[0], "row"),
                        sums ? address("s->memory", plan_.front[i].sums_offset) + ", " : "",
                        row_address(node.output, count(node.output)));
    return text + "    row = next;\n    if (row < end) return;\n" + made(node.output, "    ") + "  }\n";
  }

  /// How many rows can be written before the layers behind run.
  std::string room(QValueId id) const {
    if (!value(id).slides_for) return "1";
    return fmt::format("{} - ((int32_t){} - {})", value(id).rows, count(id), first_kept(id));
  }

  /// Rows that slide begin with the padding above them.
  std::string padding_above() const {
    std::string text;
    for (const auto id : streamed()) {
      if (!value(id).slides_for) continue;
      const auto padding = row_window(graph().nodes[*value(id).slides_for]).padding;
      if (padding > 0)
        text += fmt::format("  memset({}, {}, {});\n", address("arena", value(id).offset),
                            graph().value(id).zero_point, padding * value(id).row_bytes);
    }
    return text;
  }

  std::string interface() const {
    const auto input = graph().inputs[0];
    const auto& rows = value(input);
    std::string behind;
    for (std::size_t i = plan_.front.size(); i < network_.layers.size(); ++i)
      behind += layer_call(network_, network_.layers[i]);
    behind += final_copies(network_);
    const auto memory =
        behind.find("memory") == behind.npos ? "" : "  int8_t *const memory = (int8_t *)arena;\n";
    return filled(template_text("stream.c"), {{"NAME", network_.name},
                                              {"UPPER", upper(network_.name)},
                                              {"COUNTS_OFFSET", std::to_string(plan_.state_bytes)},
                                              {"ROW_COUNT", std::to_string(rows.count)},
                                              {"ROW_SIZE", std::to_string(rows.row_bytes)},
                                              {"ROW_ADDRESS", row_address(input, count(input))},
                                              {"ROOM", room(input)},
                                              {"PADDING", padding_above()},
                                              {"COUNT_UP", counted_up(input, "count", "  ")},
                                              {"READERS", hand_on(input, "count", "  ")},
                                              {"MEMORY", memory},
                                              {"BEHIND", behind}});
  }

  const CNetwork& network_;
  const StreamPlan& plan_;
  std::string counter_;
};

}  // namespace

std::string stream_declarations(const CNetwork& network) {
  const auto& rows = network.stream->values[index_of(network.graph().inputs[0])];
  return filled(template_text("stream.h"), {{"NAME", network.name},
                                            {"UPPER", upper(network.name)},
                                            {"ROW_COUNT", std::to_string(rows.count)},
                                            {"ROW_SIZE", std::to_string(rows.row_bytes)}});
}

std::string stream_source(const CNetwork& network) { return StreamSource(network).text(); }

}  // namespace compress
