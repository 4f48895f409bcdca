// One node of an ONNX file as the rows of the operator table see it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libcompress/import/onnx/translation.h"

namespace compress::onnx {

class Call {
 public:
  Call(Translation& translation, const NodeRecord& node);

  const NodeRecord& node() const { return node_; }
  std::int64_t opset() const { return translation_.opset(); }
  const std::string& name() const { return name_; }

  // Inputs. An index beyond the last, or of an input left out, is an Error of kind input but for has().
  std::size_t input_count() const { return inputs_.size(); }
  bool has(std::size_t i) const { return i < inputs_.size() && inputs_[i] != nullptr; }
  bool is_constant(std::size_t i) const { return has(i) && constant_at(i) != nullptr; }
  const Shape& shape(std::size_t i) const;  ///< valid as long as the call
  std::int64_t rank(std::size_t i) const { return static_cast<std::int64_t>(shape(i).size()); }
  ElementType type(std::size_t i) const;  ///< float32 for what is computed

  /// The constant; an Error if the input is computed. Its dtype is float32, int64 or boolean.
  const Tensor& tensor(std::size_t i) const;
  Integers integers(std::size_t i) const;
  double number(std::size_t i) const;  ///< of a tensor of one element
  bool trained(std::size_t i) const;

  /// The input as a value of the graph: constants become parameters if they were trained, else buffers.
  ValueId value(std::size_t i) const;
  ValueId weight(std::size_t i) const;   ///< constants become parameters
  ValueId running(std::size_t i) const;  ///< constants become buffers; an Error if it is computed
  /// A constant made from input `i` by `what` ("transposed"), which tells it apart from others made from it.
  ValueId weight(std::size_t i, const std::string& what, Tensor tensor) const;
  /// A literal number or table.
  ValueId literal(const std::string& part, Tensor tensor) const;

  // Attributes: the fallback stands for one left out, a wrong type is an Error of kind input.
  bool has_attribute(std::string_view attribute) const { return find(attribute) != nullptr; }
  std::int64_t integer(std::string_view attribute, std::int64_t fallback) const;
  double number(std::string_view attribute, double fallback) const;
  std::string text(std::string_view attribute, const std::string& fallback) const;
  Integers integers(std::string_view attribute, const Integers& fallback = {}) const;
  std::vector<float> numbers(std::string_view attribute) const;
  const AttributeRecord* find(std::string_view attribute) const;

  /// An axis, counted from the end if negative; Error unless in 0 .. rank - 1.
  std::int64_t axis(std::int64_t given, std::int64_t rank) const;

  // Results.
  std::size_t output_count() const { return node_.outputs.size(); }
  bool wants(std::size_t output) const;  ///< whether anything reads it
  /// A node of ours of this node's name, or of one with "." and `part` behind it for the steps of a
  /// composition.
  ValueId emit(const std::string& op, const std::vector<ValueId>& inputs, Attributes attributes = {},
               const std::string& part = "");
  const Node* producer(ValueId value) const { return translation_.graph().producer(value); }
  /// Whether `value` is stored, and all of it is `number`.
  bool is_all(ValueId value, float number) const;
  Shape shape_of(ValueId value) const { return translation_.graph().value(value).shape; }
  void define(std::size_t output, ValueId value);
  void define(std::size_t output, Tensor tensor, ElementType type);
  void pass(std::size_t output, std::size_t input);  ///< the output is that input

  /// Whether a step may be left out because of its shapes: `condition` holds here, and for a larger batch
  /// too.
  bool skips(const std::string& part, bool condition) const {
    return translation_.choose(std::string(node_.outputs.front()) + "." + part, condition);
  }
  /// Before a tensor of `shape` is made.
  void charge(const Shape& shape) const { translation_.charge(shape, where()); }
  /// Whether every input is a constant.
  bool all_constant() const;

  std::string where() const;  ///< "node 'conv1' (Conv)"
  [[noreturn]] void refuse(const std::string& found, const std::string& allowed = "",
                           const std::string& remedy = "") const;

 private:
  const Known& input(std::size_t i) const;
  std::shared_ptr<Constant> constant_at(std::size_t i) const;

  Translation& translation_;
  const NodeRecord& node_;
  std::string name_;
  std::vector<const Known*> inputs_;
  std::vector<Shape> shapes_;  ///< of the inputs: those of the graph move when it grows
};

}  // namespace compress::onnx
