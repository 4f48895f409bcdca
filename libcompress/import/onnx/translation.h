// An ONNX graph being made into a graph of ours, one node after the other.
//
// Each name of the file is known as a constant, which costs nothing until an operator needs it as a value, or
// as a value of the graph. Nodes whose inputs are constants become constants where folding.h can compute
// them; the others are handed to the rows of operators.h, which see them as a Call.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "libcompress/import/network_maker.h"
#include "libcompress/import/onnx.h"
#include "libcompress/import/onnx/proto.h"
#include "libcompress/import/onnx/tensors.h"
#include "libcompress/import/tensor_math.h"
#include "libcompress/import/translated.h"

namespace compress::onnx {

using namespace tensor_math;

/// A file that is being read, and the constants of it that were decoded: what several translations share.
class Source {
 public:
  Source(ModelRecord model, std::filesystem::path folder, const OnnxOptions& options);

  const ModelRecord& model() const { return model_; }
  const OnnxOptions& options() const { return options_; }
  /// Decoded once.
  const Tensor& load(const TensorRecord& record);
  std::int64_t loaded_elements() const { return loaded_elements_; }

 private:
  ModelRecord model_;
  const OnnxOptions& options_;
  TensorReader reader_;
  std::map<const TensorRecord*, Tensor> loaded_;
  std::int64_t loaded_elements_ = 0;
};

/// A constant that the file stores, or that was folded.
struct Constant {
  std::string name;    ///< of the value it may become
  ElementType type{};  ///< what the file calls its elements
  Shape shape;
  bool trained = false;  ///< floats that training found, in contrast to literal numbers
  Tensor tensor{};       ///< empty while it is only stored
  const TensorRecord* stored = nullptr;
  std::optional<ValueId> as_parameter{};
  std::optional<ValueId> as_buffer{};
  std::map<std::string, std::shared_ptr<Constant>> forms{};  ///< transposed and the like, by what was done
};

/// What a name of the file stands for.
using Known = std::variant<ValueId, std::shared_ptr<Constant>>;

class Translation {
 public:
  /// Inputs whose first extent is open get `batch`. Nodes are left out because of their shapes only where
  /// `larger`, the translation of a larger batch, left them out too: what does nothing to one example may do
  /// something to two.
  Translation(Source& source, std::int64_t batch, const Translation* larger = nullptr);

  /// All nodes, or those that the outputs need; once.
  Translated run(bool all_nodes);

  /// The outputs of a file in which everything is constant; Error of kind input if they are not.
  std::vector<Tensor> fold();

  const Graph& graph() const { return maker_.graph(); }
  std::int64_t opset() const { return source_.model().opset; }

  const Known* find(std::string_view name) const;
  void define(std::string_view name, Known known);
  /// nullptr for what is computed.
  const Tensor* stored(ValueId value) const;
  bool is_needed(std::string_view name) const { return needed_.contains(name); }

  const Tensor& tensor_of(Constant& constant);
  /// The constant as a value of the graph; made when first asked for.
  ValueId parameter(const std::shared_ptr<Constant>& constant);
  ValueId buffer(const std::shared_ptr<Constant>& constant);

  ValueId add_node(const std::string& op, const std::string& name, const std::vector<ValueId>& inputs,
                   Attributes attributes) {
    return maker_.add_node(op, name, inputs, std::move(attributes));
  }
  /// Before a tensor of `shape` is folded.
  void charge(const Shape& shape, const std::string& where);
  /// Whether to take the shorter way at `place` because `condition` holds.
  bool choose(const std::string& place, bool condition);

 private:
  void find_needed(bool all_nodes);
  void define_inputs();
  void define_input(const ValueRecord& input);
  Shape shape_of_input(const ValueRecord& input) const;
  void define_initializers();
  void translate_all(bool all_nodes);
  void translate(const NodeRecord& node);
  void translate_checked(const NodeRecord& node);
  void set_outputs();
  ValueId store(const Constant& constant, ValueKind kind);
  std::string message(const std::string& what) const { return source_.model().name + ": " + what; }

  Source& source_;
  std::int64_t batch_;
  const Translation* larger_;
  std::set<std::string> chosen_;
  NetworkMaker maker_;
  std::map<std::string_view, Known> known_;
  std::set<std::string_view> broken_;  ///< outputs of nodes that could not be read
  std::set<std::string_view> needed_;
  Translated result_;
};

/// The name that a node of ours gets: the file's, or that of its first output.
std::string name_of(const NodeRecord& node);

}  // namespace compress::onnx
