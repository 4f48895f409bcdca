#include "libcompress/quant/fold.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "libcompress/base/error.h"

namespace compress {
namespace {

/// Builds the folded model node by node.
class Folder {
 public:
  explicit Folder(const Model& model) : old_(model.graph), weights_(model.weights) {
    for (const auto& node : old_.nodes()) {
      if (const auto* norm = norm_behind(node)) folded_[node.id] = norm;
    }
    model_.name = model.name;
    model_.metadata = model.metadata;
  }

  Model run() {
    for (const auto id : old_.inputs())
      moved_[id] = model_.graph.add_input(old_.value(id).name, old_.value(id).shape, old_.value(id).dtype);
    const auto order = old_.topological_order();
    mark_read(order);
    for (const auto id : order) {
      if (read_.contains(old_.node(id).output)) add(old_.node(id));
    }
    std::vector<ValueId> outputs;
    for (const auto id : old_.outputs()) outputs.push_back(value_for(id));
    model_.graph.set_outputs(outputs);
    verify(model_);
    return std::move(model_);
  }

 private:
  /// The batch norm that folds into `node`, or nullptr.
  const Node* norm_behind(const Node& node) const {
    const bool linear = node.op == "linear" && old_.value(node.output).shape.size() == 2;
    if (node.op != "conv" && node.op != "conv_transpose" && !linear) return nullptr;
    const auto& outputs = old_.outputs();
    if (std::find(outputs.begin(), outputs.end(), node.output) != outputs.end()) return nullptr;
    const auto readers = old_.consumers(node.output);
    if (readers.size() != 1) return nullptr;
    const auto& reader = old_.node(readers[0]);
    return reader.op == "batch_norm" && has_stored_weights(node) && has_stored_weights(reader) ? &reader
                                                                                               : nullptr;
  }

  /// Whether all operands but the input are parameters and buffers: computed ones cannot be changed here.
  bool has_stored_weights(const Node& node) const {
    return std::all_of(node.inputs.begin() + 1, node.inputs.end(), [&](ValueId id) {
      const auto kind = old_.value(id).kind;
      return kind == ValueKind::parameter || kind == ValueKind::buffer;
    });
  }

  /// What the outputs depend on.
  void mark_read(const std::vector<NodeId>& order) {
    read_.insert(old_.outputs().begin(), old_.outputs().end());
    for (auto id = order.rbegin(); id != order.rend(); ++id) {
      const auto& node = old_.node(*id);
      if (read_.contains(node.output)) read_.insert(node.inputs.begin(), node.inputs.end());
    }
  }

  void add(const Node& node) {
    if (moved_.contains(node.output)) return;  // a batch norm that was folded
    if (node.op == "dropout" || joins_convolutions(node)) {
      moved_[node.output] = value_for(node.inputs[0]);
      return;
    }
    const auto norm = folded_.find(node.id);
    if (norm != folded_.end()) {
      const auto output = add_folded(node, *norm->second);
      moved_[node.output] = output;
      moved_[norm->second->output] = output;
      return;
    }
    std::vector<ValueId> inputs;
    for (const auto id : node.inputs) inputs.push_back(value_for(id));
    moved_[node.output] = model_.graph.add_node(node.op, node.name, inputs, attributes_of(node));
  }

  /// Whether all that read a pad are convolutions, which pad with the same zeros.
  bool joins_convolutions(const Node& node) const {
    if (node.op != "pad" || node.attributes.text("mode") != "constant" ||
        node.attributes.number("value") != 0)
      return false;
    const auto& padding = node.attributes.integers("padding");
    const auto axes = padding.size() / 2;
    const bool of_pixels = padding[0] == 0 && padding[1] == 0 && padding[axes] == 0 && padding[axes + 1] == 0;
    const auto& outputs = old_.outputs();
    const auto readers = old_.consumers(node.output);
    return axes > 2 && of_pixels && !readers.empty() &&
           std::find(outputs.begin(), outputs.end(), node.output) == outputs.end() &&
           std::all_of(readers.begin(), readers.end(), [&](NodeId id) {
             const auto& reader = old_.node(id);
             return reader.op == "conv" && reader.inputs[0] == node.output &&
                    std::count(reader.inputs.begin(), reader.inputs.end(), node.output) == 1;
           });
  }

  /// With the padding of a pad that joined the node.
  Attributes attributes_of(const Node& node) const {
    const auto* pad = node.op == "conv" ? old_.producer(node.inputs[0]) : nullptr;
    if (pad == nullptr || !joins_convolutions(*pad)) return node.attributes;
    auto padding = node.attributes.integers("padding");
    const auto& more = pad->attributes.integers("padding");
    const auto pixels = padding.size() / 2;
    for (std::size_t i = 0; i < pixels; ++i) {
      padding[i] += more[2 + i];
      padding[pixels + i] += more[pixels + 4 + i];
    }
    auto attributes = node.attributes;
    attributes.set("padding", padding);
    return attributes;
  }

  /// An activation as it was moved, or a weight, which moves when first asked for.
  ValueId value_for(ValueId id) {
    const auto found = moved_.find(id);
    if (found != moved_.end()) return found->second;
    const auto& value = old_.value(id);
    const auto moved = value.kind == ValueKind::buffer ? model_.graph.add_buffer(value.name, value.shape)
                                                       : model_.graph.add_parameter(value.name, value.shape);
    model_.weights[value.name] = weights_.find(value.name)->second;
    moved_[id] = moved;
    return moved;
  }

  std::span<const float> weight(ValueId id) const {
    return weights_.find(old_.value(id).name)->second.as<float>();
  }

  ValueId add_folded(const Node& node, const Node& norm) {
    const auto gamma = weight(norm.inputs[1]);
    const auto beta = weight(norm.inputs[2]);
    const auto mean = weight(norm.inputs[3]);
    const auto variance = weight(norm.inputs[4]);
    const double epsilon = norm.attributes.number("epsilon");
    auto weights = weights_.find(old_.value(node.inputs[1]).name)->second.clone();
    Tensor bias(DType::float32, {static_cast<std::int64_t>(gamma.size())});
    const auto w = weights.as<float>();
    const auto b = bias.as<float>();
    std::vector<double> factors;
    for (std::size_t o = 0; o < gamma.size(); ++o) {
      factors.push_back(gamma[o] / std::sqrt(variance[o] + epsilon));
      const double old_bias = node.inputs.size() > 2 ? weight(node.inputs[2])[o] : 0.0;
      b[o] = static_cast<float>((old_bias - mean[o]) * factors[o] + beta[o]);
    }
    for (std::size_t i = 0; i < w.size(); ++i)
      w[i] = static_cast<float>(w[i] * factors[output_of(node, weights.shape(), i)]);
    const auto inputs = {value_for(node.inputs[0]), add_weight(node, "weight", weights),
                         add_weight(node, "bias", bias)};
    return model_.graph.add_node(node.op, node.name, inputs, attributes_of(node));
  }

  /// The output channel that element `i` of a weight leads to. Outputs are axis 0, in a transposed
  /// convolution axis 1, counted from the group's first.
  static std::size_t output_of(const Node& node, const Shape& shape, std::size_t i) {
    const auto row_size = static_cast<std::size_t>(element_count(shape) / shape[0]);
    if (node.op != "conv_transpose") return i / row_size;
    const auto outputs = static_cast<std::size_t>(shape[1]);  // of a group
    const auto inputs = static_cast<std::size_t>(shape[0] / node.attributes.integer("groups"));
    return i / row_size / inputs * outputs + i % row_size / (row_size / outputs);
  }

  ValueId add_weight(const Node& node, const std::string& kind, const Tensor& tensor) {
    for (const float element : tensor.as<float>()) {
      if (!std::isfinite(element)) {
        throw Error(ErrorKind::input,
                    {fmt::format("node '{}'", node.name), "a batch norm that makes a weight infinite",
                     "running variances of 0 or more with a sensible epsilon", ""});
      }
    }
    // Its own name: other nodes may read the unfolded weights too.
    auto name = node.name + "." + kind;
    while (taken(name)) name += "_folded";
    model_.weights[name] = tensor;
    return model_.graph.add_parameter(name, tensor.shape());
  }

  /// Whether a value has `name`, or a weight that may still move in.
  bool taken(const std::string& name) const {
    if (model_.graph.find_value(name)) return true;
    const auto old = old_.find_value(name);
    return old && read_unfolded(*old);
  }

  bool read_unfolded(ValueId id) const {
    const auto readers = old_.consumers(id);
    return std::any_of(readers.begin(), readers.end(),
                       [&](NodeId reader) { return !folded_.contains(reader); });
  }

  const Graph& old_;
  const StateDict& weights_;
  std::map<NodeId, const Node*> folded_;  ///< conv or linear -> its batch norm
  std::set<ValueId> read_;                ///< values that the outputs depend on
  std::map<ValueId, ValueId> moved_;      ///< old -> new
  Model model_;
};

}  // namespace

Model fold(const Model& model) {
  verify(model);
  return Folder(model).run();
}

}  // namespace compress
