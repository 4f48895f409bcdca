// A TensorFlow Lite graph being made into a graph of ours, one operator after the other.
//
// Each tensor of the file is known as a constant, which costs nothing until an operator needs it as a value,
// or as a view: a value of our graph and where in it the axes of the file's tensor are. A transpose only
// changes the view; an operator that needs its axes in a certain order asks for it, and only then, and only
// if elements really move, a permute is made.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "libcompress/import/network_maker.h"
#include "libcompress/import/tflite.h"
#include "libcompress/import/tflite/schema.h"
#include "libcompress/import/translated.h"

namespace compress::tflite {

using Integers = std::vector<std::int64_t>;

/// A tensor of the file as a value of ours: axis i of the tensor is axis axes[i] of the value.
struct View {
  ValueId value{};
  Integers axes;
};

/// 0, 1, 2, ...: the value has the file's order.
Integers file_order(std::size_t rank);
/// The value is [N, C, ...] where the tensor is [N, ..., C].
Integers channels_first(std::size_t rank);

/// A constant that the file stores, or that was folded. In the file's order; float32, int64 or boolean.
struct Constant {
  std::string name;  ///< of the tensor
  Shape shape;
  bool is_float = true;
  std::optional<Tensor> tensor{};          ///< once it was decoded
  const TensorRecord* stored = nullptr;    ///< where from
  std::map<std::string, ValueId> forms{};  ///< values made of it, by what was done to it
};

using Known = std::variant<View, std::shared_ptr<Constant>>;

class Translation {
 public:
  /// Inputs whose first extent is open get `batch`.
  Translation(const FileRecord& file, const TfliteOptions& options, std::int64_t batch);

  /// All operators, or those that the outputs need; once.
  Translated run(bool all_operators);

  const FileRecord& file() const { return file_; }
  NetworkMaker& maker() { return maker_; }
  const Graph& graph() const { return maker_.graph(); }

  /// nullptr for what nothing made.
  const Known* find(std::int32_t tensor) const;
  /// Error of kind input if the tensor is known already, or if the file declares another shape for it.
  void define(std::int32_t tensor, Known known);
  /// "conv1", from the tensor's name.
  std::string name_of(std::int32_t tensor) const;

  /// Decoded once, from what the file stores.
  const Tensor& tensor_of(Constant& constant);

  /// The tensor's shape in the file's order.
  Shape shape_of(const View& view) const;
  /// The value with the tensor's axes at `axes`: a permute where elements have to move, else a reshape or the
  /// value itself.
  ValueId ordered(const View& view, const Integers& axes);
  /// The view under another shape of the tensor, with as few moves as can be.
  View reshaped(const View& view, const Shape& shape, const std::string& name);

 private:
  View straight(const View& view);  ///< in the file's order
  /// With the axes `sequence` in this order, the others behind them.
  View moved_to(const View& view, const std::vector<std::size_t>& sequence);
  void find_needed(bool all_operators);
  void define_constants();
  void define_inputs();
  void define_input(std::int32_t tensor);
  Shape shape_of_input(const TensorRecord& record) const;
  void translate(const OperatorRecord& record);
  void translate_checked(const OperatorRecord& record, const std::string& name);
  void check_operands(const OperatorRecord& record, const std::string& where) const;
  void set_outputs();

  const FileRecord& file_;
  const TfliteOptions& options_;
  std::int64_t batch_;
  bool shapes_are_declared_;  ///< the file's shapes are what ours must be
  NetworkMaker maker_;
  std::vector<std::optional<Known>> known_;                   ///< by tensor
  std::vector<char> broken_;                                  ///< by tensor: its operator could not be read
  std::vector<char> needed_;                                  ///< by tensor
  std::map<std::pair<ValueId, Integers>, ValueId> permuted_;  ///< by value and order
  Translated result_;
};

}  // namespace compress::tflite
