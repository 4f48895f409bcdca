// What turns one node into ONNX nodes works with.
#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libcompress/export/onnx/batch.h"
#include "libcompress/export/onnx/messages.h"
#include "libcompress/graph/graph.h"

namespace compress::onnx_export {

/// What a file declares of a value.
struct ValueInfo {
  Shape shape;          ///< for the declared batch
  int batch_axis = -1;  ///< the axis that grows with the batch, or -1
  DType dtype = DType::float32;
};

/// `info` under a name; its batch has the name "batch" where it is the inputs' own, and none where it is a
/// multiple.
Message declaration(std::string_view name, const ValueInfo& info, std::int64_t declared_batch);

/// `info` with its axes in that order.
ValueInfo permuted(const ValueInfo& info, const Integers& order);

/// The repeated fields of the GraphProto that grow node by node, and the names that are taken.
struct GraphParts {
  std::vector<Message> nodes;
  std::vector<Message> initializers;
  std::vector<Message> declarations;  ///< of the values that the graph does not have
  std::set<std::string, std::less<>> names;

  /// `wanted`, or that with a number behind it where it is taken; takes it.
  std::string fresh_name(const std::string& wanted);
};

/// One node of the graph. What it adds is named after it: "norm.scale".
class Lowering {
 public:
  Lowering(const Graph& graph, const BatchAxes& batch, const Node& node, GraphParts& parts)
      : graph_(graph), batch_(batch), node_(node), parts_(parts) {}

  const Node& node() const { return node_; }
  const Attributes& attributes() const { return node_.attributes; }
  std::size_t input_count() const { return node_.inputs.size(); }
  const std::string& input(std::size_t i) const { return graph_.value(node_.inputs[i]).name; }
  const Shape& input_shape(std::size_t i) const { return graph_.value(node_.inputs[i]).shape; }
  const Shape& output_shape() const { return graph_.value(node_.output).shape; }
  ValueInfo input_info(std::size_t i) const { return {input_shape(i), batch_axis(i)}; }
  ValueInfo output_info() const { return {output_shape(), output_batch_axis()}; }
  std::vector<std::string> inputs() const;

  /// The axis that grows with the batch, or -1.
  int batch_axis(std::size_t input) const { return batch_.axis[index_of(node_.inputs[input])]; }
  int output_batch_axis() const { return batch_.axis[index_of(node_.output)]; }

  /// Constants; the result is their name. A Shape of no extents is a scalar.
  std::string integers(std::string_view what, const Integers& values);
  std::string numbers(std::string_view what, Shape shape, std::span<const float> values);
  std::string filled(std::string_view what, Shape shape, float value);
  std::string scalar(std::string_view what, double value) {
    return filled(what, {}, static_cast<float>(value));
  }

  /// A node before the last one, which makes `info`; the result is the name of that.
  std::string add(const std::string& op, std::string_view what, const ValueInfo& info,
                  const std::vector<std::string>& inputs, const AttributeList& attributes = {});
  /// The last node, which makes the node's output.
  void finish(const std::string& op, const std::vector<std::string>& inputs,
              const AttributeList& attributes = {});

 private:
  std::string named(std::string_view what) const { return node_.name + "." + std::string(what); }

  const Graph& graph_;
  const BatchAxes& batch_;
  const Node& node_;
  GraphParts& parts_;
};

using Lower = std::function<void(Lowering&)>;

/// By operator of the op table; nullptr if it has no form.
const Lower* find_lowering(std::string_view op);

/// "shape" of Reshape: the axis that grows is left for ONNX to find (-1).
Integers reshape_target(const Shape& shape, int batch_axis);

/// A list with one number for each of `axes` axes, where an empty one stands for `fallback` everywhere.
Integers along_all(const Integers& given, std::size_t axes, std::int64_t fallback);

struct LoweringRow {
  std::string op;
  Lower lower;
};

// The families, one file each.
std::vector<LoweringRow> elementwise_lowerings();
std::vector<LoweringRow> convolution_lowerings();  ///< and matrix products
std::vector<LoweringRow> norm_lowerings();
std::vector<LoweringRow> pooling_lowerings();  ///< and reductions
std::vector<LoweringRow> movement_lowerings();

}  // namespace compress::onnx_export
