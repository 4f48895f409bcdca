#include "libcompress/quant/lower/lowering.h"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "libcompress/base/error.h"
#include "libcompress/quant/lower/operators.h"

namespace compress::lowering {

void refuse(const Node& node, std::string found, std::string allowed, std::string remedy) {
  throw Error(ErrorKind::input, {fmt::format("node '{}' cannot be quantized", node.name), std::move(found),
                                 std::move(allowed), std::move(remedy)});
}

void refuse_if(bool other, const Node& node, std::string found, std::string allowed) {
  if (other) refuse(node, std::move(found), std::move(allowed), "keep the network in float32");
}

QRequantize requantize_to(const Node& node, const QValue& x, Scale scale) {
  const double factor = static_cast<double>(x.scale) / static_cast<double>(scale.scale);
  if (!(factor < 0x1p22)) {
    refuse(node, fmt::format("a result whose step is {} of its input's", 1 / factor), "2^-22 or more",
           "calibrate with inputs that drive it");
  }
  QRequantize op;
  op.requantization = to_requantization(factor);
  return op;
}

Lowering::Lowering(const Model& model, const ValueRanges& ranges, const std::string& profile,
                   const NodeNames& one_scale)
    : model_(model), plan_(plan_for(model.graph, ranges)), one_scale_(one_scale) {
  result_.name = model.name;
  result_.profile = profile;
}

QuantizedGraph Lowering::run() {
  add_input();
  for (const auto id : graph().topological_order()) {
    const auto& node = graph().node(id);
    if (!plan_.absorbed.contains(id)) operator_of(graph(), node).lower(*this, node);
  }
  for (const auto output : graph().outputs()) result_.outputs.push_back(canonical(output));
  drop_unread();
  verify(result_);
  return std::move(result_);
}

void Lowering::add_input() {
  if (graph().inputs().size() != 1)
    throw Error(ErrorKind::input,
                {"the network", fmt::format("{} inputs", graph().inputs().size()), "1", ""});
  const auto& input = graph().value(graph().inputs()[0]);
  const auto axes = canonical_order(input.shape.size());
  const auto id = add_activation(input.name, shape_in(input.id, axes), chosen_scale(input.id));
  set_form(input.id, {id, axes});
  result_.inputs = {id};
}

std::string Lowering::unique(const std::string& name) {
  auto candidate = name;
  for (int i = 2; !names_.insert(candidate).second; ++i) candidate = fmt::format("{}#{}", name, i);
  return candidate;
}

QValueId Lowering::add_value(QValue value) {
  value.id = QValueId{static_cast<std::int32_t>(result_.values.size())};
  value.name = unique(value.name);
  result_.values.push_back(std::move(value));
  return result_.values.back().id;
}

QValueId Lowering::add_activation(const std::string& name, Shape shape, Scale scale) {
  QValue made;
  made.name = name;
  made.shape = std::move(shape);
  made.scale = scale.scale;
  made.zero_point = scale.zero_point;
  return add_value(std::move(made));
}

QValueId Lowering::add_constant(const std::string& name, Tensor data, std::vector<float> scales) {
  QValue made;
  made.name = name;
  made.dtype = data.dtype();
  made.shape = data.shape();
  made.channel_scales = std::move(scales);
  made.constant = std::move(data);
  return add_value(std::move(made));
}

QValueId Lowering::add_constant(const std::string& name, Tensor data, float scale) {
  const auto id = add_constant(name, std::move(data), std::vector<float>{});
  result_.values[index_of(id)].scale = scale;
  return id;
}

QValueId Lowering::add_node(const std::string& name, QOp op, std::vector<QValueId> inputs, QValueId output) {
  result_.nodes.push_back({name, std::move(op), std::move(inputs), output});
  return output;
}

QValueId Lowering::add_same_scale(const std::string& name, QOp op, QValueId from,
                                  const std::string& value_name, Shape shape) {
  const Scale scale{value(from).scale, value(from).zero_point};
  return add_node(name, std::move(op), {from}, add_activation(value_name, std::move(shape), scale));
}

Scale Lowering::chosen_scale(ValueId id) const {
  const auto& name = graph().value(id).name;
  const auto where = fmt::format("value '{}'", name);
  const auto found = plan_.ranges.find(id);
  if (found == plan_.ranges.end())
    throw Error(ErrorKind::input,
                {where, "no calibration range", "one for every activation", "calibrate this network"});
  const auto [low, high] = found->second;
  if (!std::isfinite(low) || !std::isfinite(high) || low > high)
    throw Error(ErrorKind::input,
                {where, fmt::format("a calibration range of {} to {}", low, high), "finite, ascending", ""});
  if (low == high || static_cast<double>(high) - low < 255.0 * FLT_MIN) {
    throw Error(ErrorKind::input,
                {where, fmt::format("{} in every calibration input", low), "activations that vary",
                 "calibrate with more and real inputs; if it stays, the layer is dead: prune it"});
  }
  return scale_for(found->second);
}

ValueId Lowering::result_of(const Node& node) const {
  const auto clamp = plan_.clamps.find(node.id);
  return clamp == plan_.clamps.end() ? node.output : clamp->second->output;
}

Lowering::Levels Lowering::levels_of(const Node& clamp, Scale y) const {
  const auto bounds = bounds_of(clamp).value();
  const auto range = plan_.ranges.at(clamp.output);
  QValue result;
  result.scale = y.scale, result.zero_point = y.zero_point;
  Levels levels;
  if (std::min(range.low, 0.0f) < bounds.low) levels.low = clamp_level(result, bounds.low);
  if (std::max(range.high, 0.0f) > bounds.high) levels.high = clamp_level(result, bounds.high);
  return levels;
}

Shape Lowering::shape_in(ValueId id, const AxisOrder& axes) const {
  Shape shape;
  for (const int axis : axes)
    shape.push_back(axis == kAdded ? 1 : graph().value(id).shape[static_cast<std::size_t>(axis)]);
  return shape;
}

std::string Lowering::name_in(ValueId id, const AxisOrder& axes) const {
  const auto& name = graph().value(id).name;
  return axes == canonical_order(rank(id)) ? name : name + "/moved";
}

QValueId Lowering::form(ValueId id, const AxisOrder& axes) {
  auto& known = forms_.at(id);
  for (const auto& each : known) {
    if (each.axes == axes) return each.id;
  }
  const auto moved = move(id, known.front(), axes);
  forms_.at(id).push_back({moved, axes});
  return moved;
}

QValueId Lowering::move(ValueId id, const Form& from, const AxisOrder& axes) {
  const auto& name = graph().value(id).name;
  const auto target = shape_in(id, axes);
  const auto order = moves(from.axes, axes);
  const auto shape = value(from.id).shape;
  auto current = from.id;
  if (reorders(shape, order)) {
    Shape transposed;
    for (const auto axis : order) transposed.push_back(shape[static_cast<std::size_t>(axis)]);
    const auto value_name = transposed == target ? name_in(id, axes) : name + "/transpose";
    current = add_same_scale(name + "/transpose", QTranspose{order}, current, value_name, transposed);
  }
  if (value(current).shape == target) return current;
  return add_same_scale(name + "/reshape", QReshape{}, current, name_in(id, axes), target);
}

std::span<const float> Lowering::weight(ValueId id) const {
  return model_.weights.find(graph().value(id).name)->second.as<float>();
}

QValueId Lowering::add_result(const Node& node, QOp op, std::vector<QValueId> inputs, ValueId result,
                              Scale scale) {
  const auto axes = canonical_order(rank(result));
  const auto y = add_activation(graph().value(result).name, shape_in(result, axes), scale);
  forms_[result] = {{y, axes}};
  return add_node(node.name, std::move(op), std::move(inputs), y);
}

void Lowering::drop_unread() {
  std::vector<bool> read(result_.values.size());
  for (const auto id : result_.inputs) read[index_of(id)] = true;
  for (const auto id : result_.outputs) read[index_of(id)] = true;
  std::vector<QNode> kept;
  for (auto node = result_.nodes.rbegin(); node != result_.nodes.rend(); ++node) {
    if (!read[index_of(node->output)]) continue;
    for (const auto id : node->inputs) read[index_of(id)] = true;
    kept.push_back(std::move(*node));
  }
  result_.nodes.assign(std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend()));
  renumber(read);
}

void Lowering::renumber(const std::vector<bool>& read) {
  std::vector<QValue> kept;
  std::vector<QValueId> renumbered(read.size());
  for (auto& each : result_.values) {
    if (!read[index_of(each.id)]) continue;
    const auto id = QValueId{static_cast<std::int32_t>(kept.size())};
    renumbered[index_of(each.id)] = id;
    each.id = id;
    kept.push_back(std::move(each));
  }
  result_.values = std::move(kept);
  const auto move_all = [&](std::vector<QValueId>& ids) {
    for (auto& id : ids) id = renumbered[index_of(id)];
  };
  for (auto& node : result_.nodes) {
    move_all(node.inputs);
    node.output = renumbered[index_of(node.output)];
  }
  move_all(result_.inputs);
  move_all(result_.outputs);
}

QValueId Lowering::with_scale(const Node& node, QValueId id, Scale scale) {
  if (value(id).scale == scale.scale && value(id).zero_point == scale.zero_point) return id;
  const auto name = value(id).name + "/requantized";
  const auto made = add_activation(name, value(id).shape, scale);
  return add_node(name, requantize_to(node, value(id), scale), {id}, made);
}

const std::vector<std::size_t>* Lowering::columns_of(ValueId id) const {
  const auto found = columns_.find(id);
  return found == columns_.end() ? nullptr : &found->second;
}

}  // namespace compress::lowering
