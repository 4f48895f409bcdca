#include "libcompress/export/onnx_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/export/onnx/lowering.h"

namespace compress {
namespace {

using namespace onnx_export;

constexpr std::int64_t kOperatorSet = 21;
constexpr std::int64_t kIrVersion = 10;  // the one that came with operator set 21
constexpr std::size_t kLargestMessage = 0x7fffffff;

[[noreturn]] void too_large(const std::string& name, std::size_t bytes) {
  throw Error(ErrorKind::input, {fmt::format("model '{}'", name), fmt::format("{} bytes as ONNX", bytes),
                                 "at most 2 GB, the most a Protocol Buffers message holds",
                                 "save it as .safetensors, or prune it further"});
}

void check_size(const Model& model) {
  std::size_t bytes = 0;
  for (const auto& [name, tensor] : model.weights) bytes += tensor.byte_count();
  if (bytes > kLargestMessage) too_large(model.name, bytes);
}

/// A graph's inputs, outputs and the values between, as ONNX declares them.
class Writer {
 public:
  explicit Writer(const Model& model)
      : model_(model), graph_(model.graph), batch_(find_batch_axes(model.graph)) {
    for (const auto& value : graph_.values()) parts_.names.insert(value.name);
  }

  Message graph_proto() {
    for (const auto id : graph_.topological_order()) lower(graph_.node(id));
    const auto outputs = output_names();
    Message message;
    message.reserve(bytes_of_weights() + 4096);
    for (const auto& each : parts_.nodes) message.message(field::node, each);
    message.text(field::graph_name, model_.name.empty() ? "network" : model_.name);
    for (const auto id : graph_.parameters()) {
      const auto& name = graph_.value(id).name;
      message.message(field::initializer, tensor_proto(name, model_.weights.at(name)));
    }
    for (const auto& each : parts_.initializers) message.message(field::initializer, each);
    if (!batch_.fixed.empty())
      message.text(field::doc_string, fmt::format("The batch is fixed: {}.", batch_.fixed));
    for (const auto id : graph_.inputs()) message.message(field::input, declared(id, graph_.value(id).name));
    for (std::size_t i = 0; i < outputs.size(); ++i)
      message.message(field::output, declared(graph_.outputs()[i], outputs[i]));
    for (const auto& node : graph_.nodes()) {
      if (!is_output(node.output))
        message.message(field::value_info, declared(node.output, graph_.value(node.output).name));
    }
    for (const auto& each : parts_.declarations) message.message(field::value_info, each);
    return message;
  }

 private:
  void lower(const Node& node) {
    const Lower* lowering = find_lowering(node.op);
    if (lowering == nullptr)
      throw Error(ErrorKind::input, {fmt::format("node '{}'", node.name),
                                     fmt::format("operator '{}', which has no form in ONNX", node.op), "",
                                     "save the model as .safetensors"});
    Lowering at(graph_, batch_, node, parts_);
    (*lowering)(at);
  }

  bool is_output(ValueId id) const {
    const auto& outputs = graph_.outputs();
    return std::find(outputs.begin(), outputs.end(), id) != outputs.end();
  }

  /// ONNX wants every output made by a node, and once: what is not so is copied.
  std::vector<std::string> output_names() {
    std::vector<std::string> names;
    for (const auto id : graph_.outputs()) {
      const auto& value = graph_.value(id);
      std::string name = value.name;
      if (!value.producer || std::find(names.begin(), names.end(), name) != names.end()) {
        name = parts_.fresh_name(value.name + ".output");
        parts_.nodes.push_back(node_proto("Identity", name, std::vector{value.name}, name, {}));
      }
      names.push_back(name);
    }
    return names;
  }

  Message declared(ValueId id, const std::string& name) const {
    return declaration(name, {graph_.value(id).shape, batch_.axis[index_of(id)]}, batch_.declared);
  }

  std::size_t bytes_of_weights() const {
    std::size_t bytes = 0;
    for (const auto& [name, tensor] : model_.weights) bytes += tensor.byte_count();
    return bytes;
  }

  const Model& model_;
  const Graph& graph_;
  BatchAxes batch_;
  GraphParts parts_;
};

}  // namespace

std::string format_onnx(const Model& model) {
  verify(model);
  check_size(model);
  Message message = model_proto(Writer(model).graph_proto(), kIrVersion, kOperatorSet);
  for (const auto& [key, value] : model.metadata)
    message.message(field::metadata_props, string_entry_proto(key, value));
  if (message.bytes().size() > kLargestMessage) too_large(model.name, message.bytes().size());
  return message.take();
}

void write_onnx(const std::filesystem::path& path, const Model& model) {
  write_file(path, std::string_view(format_onnx(model)));
}

std::string fixed_batch_reason(const Graph& graph) { return find_batch_axes(graph).fixed; }

}  // namespace compress
