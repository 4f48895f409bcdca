// What the families share: names, constants, settings, calls.
#include "libcompress/export/c_layers/layer_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "libcompress/base/error.h"
#include "libcompress/export/c_text.h"
#include "libcompress/export/stream_plan.h"

namespace compress {
namespace {

std::string size_text(const std::int32_t (&pair)[2]) { return fmt::format("{}x{}", pair[0], pair[1]); }

std::string shapes_of(const QuantizedGraph& graph, const QNode& node) {
  std::string text;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const auto& input = graph.value(node.inputs[i]);
    if (input.constant.empty()) text += (i ? " and " : "") + to_string(input.shape);
  }
  return text + " -> " + to_string(graph.value(node.output).shape);
}

}  // namespace

CLayer LayerWriter::run(std::size_t position) {
  const auto digits = std::max<std::size_t>(2, std::to_string(graph_.nodes.size()).size());
  node_ = &graph_.nodes[position];
  position_ = fmt::format("{:0{}}", position + 1, digits);
  check_size();
  CLayer layer;
  layer.node = &network_.graph().nodes[position];
  layer.shapes = shapes_of(network_.graph(), *layer.node);
  layer.macs = macs_of(network_.graph(), *layer.node);
  const auto& places = network_.storage.places;
  const bool silent =
      moves_nothing(graph_, *node_) && places[index_of(node_->inputs[0])] == places[index_of(node_->output)];
  if (!silent) {
    layer.function = "layer_" + stem();
    layer.body = std::visit(
        [&](const auto& op) {
          const auto wide = is_wide() ? lower_wide(op) : std::nullopt;
          return wide ? *wide : lower(op);
        },
        node_->op);
    layer.parameters = parameters();
  } else {
    title_ = std::holds_alternative<QReshape>(node_->op) ? "reshape" : "transpose";
    title_ += " without moving a byte";
  }
  layer.title = fmt::format("{} {}: {}", position + 1, comment_text(node_->name), title_);
  return layer;
}

std::string LayerWriter::prefixed(std::string_view text) const {
  return fmt::format("{}_{}", network_.name, text);
}

std::string LayerWriter::stem() const {
  std::string part;
  for (const char c : node_->name.substr(0, 32)) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (fine || (!part.empty() && part.back() != '_')) part += fine ? c : '_';
  }
  return position_ + "_" + part;
}

void LayerWriter::refuse(const std::string& found, const std::string& allowed) const {
  throw Error(ErrorKind::input, {"C export, node '" + node_->name + "'", found, allowed, ""});
}

bool LayerWriter::is_wide() const { return output().dtype == DType::int16 || value(0).dtype == DType::int16; }

void LayerWriter::check_size() const {
  for (const auto id : node_->inputs)
    if (bytes_of(graph_, id) > kMostCBytes) refuse("an input of more than 2^30 elements", "at most 2^30");
  if (bytes_of(graph_, node_->output) > kMostCBytes)
    refuse("an output of more than 2^30 bytes", "at most 2^30");
}

std::string LayerWriter::parameters() const {
  if (form_ == CForm::rows)
    return fmt::format("const int8_t *const input[{}], int8_t *output", row_window(*node_).kernel);
  if (form_ == CForm::take)
    return std::string("const int8_t *input, int32_t count, int first, int32_t rows, ") +
           (sums() ? "int8_t *sums, " : "") + "int8_t *output";
  std::string text;
  std::size_t count = 0;
  for (std::size_t i = 0; i < node_->inputs.size(); ++i)
    if (value(i).constant.empty())
      text += fmt::format("const int8_t *input{}, ", count++ ? std::to_string(count - 1) : "");
  return text + "int8_t *output";
}

std::string LayerWriter::constant(CConstant constant, const std::string& kind, const std::string& layout) {
  constant.name = prefixed(stem() + "_" + kind);
  constant.comment = fmt::format("{}: {} {}", comment_text(node_->name), kind, layout);
  network_.constants.push_back(std::move(constant));
  return network_.constants.back().name;
}

LayerWriter::Fields LayerWriter::weight_fields(std::vector<std::int8_t> weights, const std::string& layout,
                                               const std::vector<Requantization>& requantization) {
  CConstant biases{}, multipliers{}, shifts{};
  if (is_wide()) {
    const auto bias = value(2).constant.as<std::int64_t>();
    biases.longs.assign(bias.begin(), bias.end());
  } else {
    const auto bias = value(2).constant.as<std::int32_t>();
    biases.words.assign(bias.begin(), bias.end());
  }
  for (const auto& each : requantization) {
    multipliers.words.push_back(each.multiplier);
    shifts.bytes.push_back(static_cast<std::int8_t>(each.shift));
  }
  const auto count = fmt::format("[{}]", requantization.size());
  Fields fields;
  fields.emplace_back("weights", constant({"", "", std::move(weights), {}}, "weights", layout));
  fields.emplace_back("bias", constant(std::move(biases), "bias", count));
  fields.emplace_back("multipliers", constant(std::move(multipliers), "multipliers", count));
  fields.emplace_back("shifts", constant(std::move(shifts), "shifts", count));
  return fields;
}

std::pair<std::string, std::string> LayerWriter::window_field(const Window& window) const {
  const auto& from = value(0).shape;
  const auto& to = output().shape;
  return {
      "window",
      fmt::format(
          "{{\n          .input_height = {}, .input_width = {}, .output_height = {}, .output_width = {},\n"
          "          .kernel_height = {}, .kernel_width = {}, .stride_height = {}, .stride_width = {},\n"
          "          .padding_top = {}, .padding_left = {}, .dilation_height = {}, .dilation_width = {}\n"
          "      }}",
          from[1], from[2], to[1], to[2], window.kernel[0], window.kernel[1], window.stride[0],
          window.stride[1], window.pad_begin[0], window.pad_begin[1], window.dilation[0],
          window.dilation[1])};
}

std::string LayerWriter::window_settings(const std::string& type, const Window& window,
                                         const Fields& fields) const {
  const auto text = settings(type, fields);
  const auto [name, braces] = window_field(window);
  const auto at = text.find("{\n") + 2;
  return text.substr(0, at) + fmt::format("      .{} = {},\n", name, braces) + text.substr(at);
}

std::string LayerWriter::call(const std::string& kernel) const {
  return fmt::format("  {}(&layer, input, output);\n", prefixed(kernel));
}

std::string LayerWriter::call_windowed(const std::string& kernel) {
  constexpr std::string_view kSuffixes[] = {"", "_rows", "_take"};
  const auto name = kernel + std::string(kSuffixes[static_cast<std::size_t>(form_)]);
  network_.kernels.insert(name);
  if (form_ != CForm::take) return call(name);
  return fmt::format("  {}(&layer, input, count, first, rows, {}output);\n", prefixed(name),
                     sums() ? "sums, " : "");
}

void LayerWriter::append(Fields& fields, const Fields& more) {
  fields.insert(fields.end(), more.begin(), more.end());
}

std::string LayerWriter::operand(std::size_t i) {
  if (!value(i).constant.empty()) {
    const auto data = value(i).constant.as<std::int8_t>();
    return constant({"", "", {data.begin(), data.end()}, {}}, "operand", to_string(value(i).shape));
  }
  const bool second = i == 1 && value(0).constant.empty();
  return second ? "input1" : "input";
}

std::string LayerWriter::braces(std::vector<std::int64_t> list, std::int64_t filler) {
  list.insert(list.begin(), 4 - list.size(), filler);
  return fmt::format("{{{}}}", fmt::join(list, ", "));
}

LayerWriter::Fields LayerWriter::number_fields(
    std::initializer_list<std::pair<const char*, std::int64_t>> numbers) {
  Fields fields;
  for (const auto& [name, number] : numbers) fields.emplace_back(name, std::to_string(number));
  return fields;
}

std::string LayerWriter::settings(const std::string& type, const Fields& fields) {
  std::string text = fmt::format("  static const {} layer = {{\n", type), line = "     ";
  for (const auto& [name, value] : fields) {
    const auto item = fmt::format(" .{} = {},", name, value);
    if (line.size() + item.size() > 110 && line.size() > 5) {
      text += line + "\n";
      line = "     ";
    }
    line += item;
  }
  return text + line + "\n  };\n";
}

std::string LayerWriter::describe(const Window& window) {
  auto text = size_text(window.kernel);
  if (window.stride[0] != 1 || window.stride[1] != 1) text += ", stride " + size_text(window.stride);
  if (window.pad_begin[0] || window.pad_begin[1] || window.pad_end[0] || window.pad_end[1])
    text += fmt::format(", padding {} above, {} below, {} left, {} right", window.pad_begin[0],
                        window.pad_end[0], window.pad_begin[1], window.pad_end[1]);
  if (window.dilation[0] != 1 || window.dilation[1] != 1) text += ", dilation " + size_text(window.dilation);
  return text;
}

std::string LayerWriter::clamp_note(std::int32_t lowest, std::int32_t highest) const {
  const bool all = LevelRange{lowest, highest} == levels_of(output().dtype);
  return all ? "" : fmt::format(", limited to {} .. {}", lowest, highest);
}

}  // namespace compress
