#include "libcompress/export/onnx/batch.h"

#include <fmt/format.h>

#include <algorithm>

#include "libcompress/base/error.h"
#include "libcompress/graph/op.h"

namespace compress::onnx_export {
namespace {

/// Every value's shape for twice the declared batch.
class Doubling {
 public:
  explicit Doubling(const Graph& graph) : graph_(graph), doubled_(graph.values().size()) {
    for (const auto& value : graph.values()) doubled_[index_of(value.id)] = value.shape;
  }

  BatchAxes axes() {
    BatchAxes axes{std::vector<int>(doubled_.size(), -1), {}, declared_batch()};
    for (const auto id : graph_.inputs()) {
      auto& shape = doubled_[index_of(id)];
      if (!shape.empty()) shape[0] *= 2;
    }
    for (const auto id : graph_.topological_order()) {
      axes.fixed = follow(graph_.node(id));
      if (!axes.fixed.empty()) return axes;
    }
    for (const auto& value : graph_.values()) axes.axis[index_of(value.id)] = growing_axis(value.id);
    return axes;
  }

 private:
  const Shape& shape(ValueId id) const { return graph_.value(id).shape; }

  /// Of the first input that is no scalar.
  std::int64_t declared_batch() const {
    for (const auto id : graph_.inputs()) {
      if (!shape(id).empty()) return shape(id).front();
    }
    return 1;
  }

  bool grows(ValueId id) const { return doubled_[index_of(id)] != shape(id); }

  int growing_axis(ValueId id) const {
    const auto [now, then] =
        std::mismatch(shape(id).begin(), shape(id).end(), doubled_[index_of(id)].begin());
    return now == shape(id).end() ? -1 : static_cast<int>(now - shape(id).begin());
  }

  /// Sets the output's shape, or says why it cannot be.
  std::string follow(const Node& node) {
    if (std::none_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) { return grows(id); }))
      return {};
    auto& output = doubled_[index_of(node.output)];
    try {
      output = doubled_output(node);
    } catch (const Error& error) {
      return error.what();
    }
    int growing = 0;
    for (std::size_t i = 0; i < output.size(); ++i) {
      const auto declared = shape(node.output)[i];
      growing += output[i] != declared;
      if (output[i] != declared && output[i] != 2 * declared)
        return fmt::format("node '{}' mixes the batch with something else", node.name);
    }
    if (growing > 1) return fmt::format("node '{}' has the batch on two axes", node.name);
    return {};
  }

  Shape doubled_output(const Node& node) const {
    if (node.op == "reshape") return reshaped(node);
    if (node.op == "expand") return expanded(node);
    std::vector<Shape> inputs;
    for (const auto id : node.inputs) inputs.push_back(doubled_[index_of(id)]);
    if (node.op == "concat") repeat_over_batch(node, inputs);
    return find_op(node.op, node.name).shape({node.name, node.attributes, inputs});
  }

  Shape reshaped(const Node& node) const {
    Shape output = shape(node.output);
    const auto axis = node.attributes.integer("batch_axis");
    if (axis < 0)
      throw Error(ErrorKind::input, fmt::format("node '{}' reshapes the batch into a constant", node.name));
    output[static_cast<std::size_t>(axis)] *= 2;
    return output;
  }

  /// Axes whose declared extent does not change keep what comes.
  Shape expanded(const Node& node) const {
    Shape output = shape(node.output);
    const auto& declared = shape(node.inputs[0]);
    const auto& input = doubled_[index_of(node.inputs[0])];
    const auto added = output.size() - declared.size();
    for (std::size_t i = 0; i < declared.size(); ++i) {
      if (declared[i] == output[added + i]) {
        output[added + i] = input[i];
      } else if (input[i] != declared[i]) {
        throw Error(ErrorKind::input, fmt::format("node '{}' expands the batch", node.name));
      }
    }
    return output;
  }

  /// An input that lacks the batch, like a class token, is repeated.
  void repeat_over_batch(const Node& node, std::vector<Shape>& inputs) const {
    const auto growing =
        std::find_if(node.inputs.begin(), node.inputs.end(), [&](auto id) { return grows(id); });
    const auto batch = static_cast<std::size_t>(growing_axis(*growing));
    if (static_cast<std::int64_t>(batch) == node.attributes.integer("axis")) return;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!grows(node.inputs[i]) && inputs[i][batch] == 1)
        inputs[i][batch] = doubled_[index_of(*growing)][batch];
    }
  }

  const Graph& graph_;
  std::vector<Shape> doubled_;
};

}  // namespace

BatchAxes find_batch_axes(const Graph& graph) { return Doubling(graph).axes(); }

}  // namespace compress::onnx_export
