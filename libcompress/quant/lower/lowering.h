// The 8-bit network while it grows: what the families of operators (operators.h) build it with.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "libcompress/graph/graph.h"
#include "libcompress/quant/lower.h"
#include "libcompress/quant/lower/layout.h"
#include "libcompress/quant/lower/plan.h"

namespace compress::lowering {

/// Error of kind input: the node cannot be quantized.
[[noreturn]] void refuse(const Node& node, std::string found, std::string allowed, std::string remedy);
/// refuse() if `other`: what the float operator can do and its 8-bit form cannot.
void refuse_if(bool other, const Node& node, std::string found, std::string allowed);

/// To another scale; Error of kind input for one too fine.
QRequantize requantize_to(const Node& node, const QValue& x, Scale scale);

class Lowering {
 public:
  Lowering(const Model& model, const ValueRanges& ranges, const std::string& profile,
           const NodeNames& one_scale);

  QuantizedGraph run();

  // ---- The float network

  const Graph& graph() const { return model_.graph; }
  const Shape& shape(ValueId id) const { return graph().value(id).shape; }
  std::size_t rank(ValueId id) const { return shape(id).size(); }
  std::span<const float> weight(ValueId id) const;
  const std::string& profile() const { return result_.profile; }
  bool shares_one_scale(const Node& node) const { return one_scale_.contains(node.name); }

  /// Where `node`'s result goes: behind the clamp that joined it.
  ValueId result_of(const Node& node) const;
  /// The levels between which `result` stays, a value of the scale `y` that `clamp` makes. A range of
  /// calibration within the bounds needs no others than those of int8.
  struct Levels {
    std::int32_t low = -128, high = 127;
  };
  Levels levels_of(const Node& clamp, Scale y) const;
  /// The clamp that joined `node`, which makes `y`, becomes that of `op`.
  template <typename Op>
  void join_clamp(const Node& node, Op& op, Scale y) const {
    const auto clamp = plan_.clamps.find(node.id);
    if (clamp == plan_.clamps.end()) return;
    const auto levels = levels_of(*clamp->second, y);
    op.clamp_min = levels.low, op.clamp_max = levels.high;
  }

  /// The scale that `id` gets from calibration; Error of kind input if there is none.
  Scale chosen_scale(ValueId id) const;

  // ---- Values and nodes of the 8-bit network

  const QValue& value(QValueId id) const { return result_.value(id); }
  QValueId add_activation(const std::string& name, Shape shape, Scale scale);
  QValueId add_constant(const std::string& name, Tensor data, std::vector<float> scales);
  QValueId add_constant(const std::string& name, Tensor data, float scale);
  QValueId add_node(const std::string& name, QOp op, std::vector<QValueId> inputs, QValueId output);
  /// A node that keeps the numbers and so the scale.
  QValueId add_same_scale(const std::string& name, QOp op, QValueId from, const std::string& value_name,
                          Shape shape);
  /// A node whose output is `result` in its canonical order.
  QValueId add_result(const Node& node, QOp op, std::vector<QValueId> inputs, ValueId result, Scale scale);

  /// `id`, requantized if it has another scale.
  QValueId with_scale(const Node& node, QValueId id, Scale scale);

  // ---- Layout

  Shape shape_in(ValueId id, const AxisOrder& axes) const;
  /// The name of a value in the order `axes`: the float value's own name belongs to the canonical order.
  std::string name_in(ValueId id, const AxisOrder& axes) const;

  /// `id` in the order `axes`; moves it there if nobody has needed it so far.
  QValueId form(ValueId id, const AxisOrder& axes);
  QValueId canonical(ValueId id) { return form(id, canonical_order(rank(id))); }
  QValueId natural(ValueId id) { return form(id, natural_order(rank(id))); }
  /// As it was made.
  const Form& first_form(ValueId id) const { return forms_.at(id).front(); }
  /// `id` is `other` under another name.
  void share_forms(ValueId other, ValueId id) { forms_[id] = forms_.at(other); }
  void set_form(ValueId id, Form form) { forms_[id] = {std::move(form)}; }

  /// For each element of the flattened value `id` its position in PyTorch's order, if the linear that reads
  /// it reorders its weights; else nullptr.
  const std::vector<std::size_t>* columns_of(ValueId id) const;
  void set_columns(ValueId id, std::vector<std::size_t> columns) { columns_[id] = std::move(columns); }

 private:
  std::string unique(const std::string& name);
  QValueId add_value(QValue value);
  QValueId move(ValueId id, const Form& from, const AxisOrder& axes);
  void add_input();
  void drop_unread();
  void renumber(const std::vector<bool>& read);

  const Model& model_;
  Plan plan_;
  const NodeNames& one_scale_;
  QuantizedGraph result_;
  std::set<std::string, std::less<>> names_;
  std::map<ValueId, std::vector<Form>> forms_;
  std::map<ValueId, std::vector<std::size_t>> columns_;
};

}  // namespace compress::lowering
