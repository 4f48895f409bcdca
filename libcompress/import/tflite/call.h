// One operator of a TensorFlow Lite file as the rows of the operator table see it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libcompress/import/tflite/translation.h"

namespace compress::tflite {

class Call {
 public:
  Call(Translation& translation, const OperatorRecord& record, std::string name);

  const OperatorRecord& record() const { return record_; }
  const Options& options() const { return record_.options; }
  const std::string& name() const { return name_; }

  // Inputs. An index beyond the last, or of an input left out, is an Error of kind input but for has().
  std::size_t input_count() const { return record_.inputs.size(); }
  bool has(std::size_t i) const { return i < record_.inputs.size() && record_.inputs[i] >= 0; }
  bool is_constant(std::size_t i) const;
  bool all_constant() const;
  Shape shape(std::size_t i) const;  ///< in the file's order
  std::size_t rank(std::size_t i) const { return shape(i).size(); }

  /// The constant; an Error if the input is computed. float32, int64 or boolean.
  const Tensor& tensor(std::size_t i) const;
  Integers integers(std::size_t i) const;
  std::int64_t integer(std::size_t i) const;  ///< of a tensor of one element
  double number(std::size_t i) const;
  ElementType output_type(std::size_t i) const;  ///< as the file declares it

  /// The input as a view; constants become parameters, or buffers if they are single numbers.
  View view(std::size_t i) const;
  /// The input with its axes at `axes`, after axes of extent 1 were put before it up to as many. Constants
  /// lose such axes again at the front.
  ValueId operand(std::size_t i, const Integers& axes) const;
  /// The input with exactly these axes.
  ValueId ordered(std::size_t i, const Integers& axes) const { return translation_.ordered(view(i), axes); }
  /// A constant made from input `i` by `form` ("weight of a convolution"), which tells it apart from others
  /// made from it; `part` names it if it is new. For a computed input, `make` is not called: an Error.
  ValueId weight(std::size_t i, const std::string& form, const std::string& part, const Tensor& tensor) const;
  ValueId literal(const std::string& part, const Tensor& tensor) const;

  /// An axis, counted from the end if negative; Error unless in 0 .. rank - 1.
  std::size_t axis(std::int64_t given, std::size_t rank) const;
  Integers axes(std::size_t i, std::size_t rank) const;  ///< of a constant, ascending, each once

  // Results. A node of ours has this operator's name, or one with "." and `part` behind it for further steps.
  ValueId emit(const std::string& op, const std::vector<ValueId>& inputs, Attributes attributes = {},
               const std::string& part = "") const;
  Shape shape_of(const View& view) const { return translation_.shape_of(view); }
  ValueId order(const View& view, const Integers& axes) const { return translation_.ordered(view, axes); }
  View reshaped(const View& view, const Shape& shape, const std::string& part = "") const;

  std::size_t output_count() const { return record_.outputs.size(); }
  void define(std::size_t output, const View& view) const;
  void define(std::size_t output, Tensor tensor) const;
  void pass(std::size_t output, std::size_t input) const;  ///< the output is that input
  /// Output 0, after the fused activation of the schema's number `activation`.
  void define_activated(const View& view, std::int64_t activation) const;

  /// Before a tensor of `shape` is made.
  void charge(const Shape& shape) const { translation_.maker().charge(shape, where()); }

  std::string where() const;  ///< "node 'conv1' (CONV_2D)"
  [[noreturn]] void refuse(const std::string& found, const std::string& allowed = "",
                           const std::string& remedy = "") const;

 private:
  const Known& known(std::size_t i) const;
  std::shared_ptr<Constant> constant_at(std::size_t i) const;

  Translation& translation_;
  const OperatorRecord& record_;
  std::string name_;
};

/// Permutes and broadcasts of constants, and the numbers 1 to 2^30 of settings, with this call's errors.
Tensor permuted(const Call& call, std::size_t i, const Integers& order);
std::int64_t positive(const Call& call, std::int64_t number, const std::string& what);

/// "mul", "add", ... of a view with a literal number.
View with_number(const Call& call, const std::string& op, const View& view, double number,
                 const std::string& part = "");

}  // namespace compress::tflite
