#include "libcompress/quant/widen.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "libcompress/base/error.h"

namespace compress {
namespace {

using NodeNames = std::set<std::string, std::less<>>;

/// An activation in both widths; one that is not needed is not there.
struct Copies {
  std::optional<QValueId> narrow, wide;
};

class Widening {
 public:
  Widening(const QuantizedGraph& graph, const NodeNames& nodes) : graph_(graph), nodes_(nodes) {
    result_.name = graph.name;
    result_.profile = graph.profile;
    for (const auto& value : graph.values) names_.insert(value.name);
  }

  QuantizedGraph run() {
    check_names();
    for (const auto id : graph_.inputs) result_.inputs.push_back(made_narrow(id));
    for (const auto& node : graph_.nodes) {
      if (nodes_.contains(node.name))
        add_wide(node);
      else
        add_narrow(node);
    }
    for (const auto id : graph_.outputs) result_.outputs.push_back(narrow(id));
    verify(result_);
    return std::move(result_);
  }

 private:
  void check_names() const {
    for (const auto& name : nodes_) {
      const auto named = [&](const QNode& node) { return node.name == name; };
      if (std::none_of(graph_.nodes.begin(), graph_.nodes.end(), named))
        throw Error(ErrorKind::input, {"activations of 16 bits", "no node '" + name + "'",
                                       "names of nodes of the 8-bit network", ""});
    }
  }

  // ---- Values

  const QValue& source(QValueId id) const { return graph_.value(id); }
  const QValue& value(QValueId id) const { return result_.value(id); }

  QValueId append(QValue value) {
    value.id = QValueId{static_cast<std::int32_t>(result_.values.size())};
    result_.values.push_back(std::move(value));
    return result_.values.back().id;
  }

  QValueId made_narrow(QValueId id) { return *(copies_[id].narrow = append(source(id))); }
  QValueId made_wide(QValueId id) { return *(copies_[id].wide = append(widened_value(source(id)))); }

  /// The step that brings the larger end of the 8-bit range to 32767.
  static QValue widened_value(QValue value) {
    const auto [lowest, highest] = levels_of(DType::int8);
    const auto largest = std::max(highest - value.zero_point, value.zero_point - lowest);
    value.scale =
        value.scale * static_cast<float>(largest) / static_cast<float>(levels_of(DType::int16).highest);
    value.dtype = DType::int16;
    value.zero_point = 0;
    return value;
  }

  QValueId narrow(QValueId id) {
    auto& copies = copies_[id];
    if (!copies.narrow) copies.narrow = converted(*copies.wide, source(id), " in 8 bits");
    return *copies.narrow;
  }
  QValueId wide(QValueId id) {
    auto& copies = copies_[id];
    if (!copies.wide) copies.wide = converted(*copies.narrow, widened_value(source(id)), " in 16 bits");
    return *copies.wide;
  }

  std::string unique(const std::string& wanted) {
    auto name = wanted;
    for (int i = 2; !names_.insert(name).second; ++i) name = fmt::format("{}#{}", wanted, i);
    return name;
  }

  QValueId converted(QValueId from, QValue to, const std::string& suffix) {
    to.name = unique(to.name + suffix);
    const auto y = append(std::move(to));
    result_.nodes.push_back({value(y).name, requantize(value(from), value(y)), {from}, y});
    return y;
  }

  static QRequantize requantize(const QValue& from, const QValue& to) {
    const auto [lowest, highest] = levels_of(to.dtype);
    return {to_requantization(static_cast<double>(from.scale) / static_cast<double>(to.scale)), lowest,
            highest};
  }

  // ---- Nodes

  void add_narrow(QNode node) {
    for (auto& id : node.inputs) id = source(id).constant.empty() ? narrow(id) : constant(id);
    node.output = made_narrow(node.output);
    result_.nodes.push_back(std::move(node));
  }

  QValueId constant(QValueId id) {
    auto& copy = copies_[id].narrow;
    if (!copy) copy = append(source(id));
    return *copy;
  }

  void add_wide(QNode node) {
    if (!has_int16_form(node.op))
      throw Error(ErrorKind::input,
                  {fmt::format("int8 node '{}'", node.name), fmt::format("{} in 16 bits", name_of(node.op)),
                   "an operator that has such a form", "keep it in 8 bits"});
    const bool weighted = std::holds_alternative<QConv>(node.op) || std::holds_alternative<QLinear>(node.op);
    const auto& made = source(node.output);
    const auto x = wide(node.inputs[0]);
    if (weighted)
      node.inputs = {x, constant(node.inputs[1]), wide_bias(node, value(x))};
    else
      for (auto& id : node.inputs) id = wide(id);
    node.output = made_wide(node.output);
    std::visit([&](auto& op) { adapt(op, node, made); }, node.op);
    result_.nodes.push_back(std::move(node));
  }

  /// The int32 bias has steps of an 8-bit input, far below those of the output.
  QValueId wide_bias(const QNode& node, const QValue& x) {
    const auto& weight = source(node.inputs[1]);
    auto bias = source(node.inputs[2]);
    const auto from = bias.constant.as<std::int32_t>();
    Tensor to(DType::int64, bias.shape);
    const auto finer = static_cast<double>(source(node.inputs[0]).scale) / static_cast<double>(x.scale);
    for (std::size_t o = 0; o < from.size(); ++o)
      to.as<std::int64_t>()[o] = static_cast<std::int64_t>(std::round(from[o] * finer));
    bias.name = unique(bias.name + " in 64 bits");
    bias.dtype = DType::int64;
    bias.constant = to;
    if (bias.channel_scales.empty()) bias.scale = x.scale * weight.scale;
    for (std::size_t o = 0; o < bias.channel_scales.size(); ++o)
      bias.channel_scales[o] = x.scale * weight.channel_scales[o];
    return append(std::move(bias));
  }

  template <typename Op>
  void adapt(Op& op, const QNode& node, const QValue& made) const {
    const auto& y = value(node.output);
    if constexpr (is_one_of<Op, QConv, QLinear>) {
      for (std::size_t o = 0; o < op.requantization.size(); ++o)
        op.requantization[o] =
            to_requantization(weight_factor(value(node.inputs[0]), value(node.inputs[1]), o, y));
    } else if constexpr (is_one_of<Op, QRequantize>) {
      op.requantization = requantize(value(node.inputs[0]), y).requantization;
    } else if constexpr (is_one_of<Op, QAdd>) {
      const auto needed = add_for(value(node.inputs[0]), value(node.inputs[1]), y);
      op.left = needed.left, op.right = needed.right, op.output = needed.output;
      op.left_shift = needed.left_shift;
    }
    if constexpr (is_one_of<Op, QPad>)
      op.level = wide_level(op.level, levels_of(DType::int8).lowest, levels_of(DType::int16).lowest, made, y);
    if constexpr (requires { op.clamp_min; }) {
      op.clamp_min =
          wide_level(op.clamp_min, levels_of(DType::int8).lowest, levels_of(DType::int16).lowest, made, y);
      op.clamp_max =
          wide_level(op.clamp_max, levels_of(DType::int8).highest, levels_of(DType::int16).highest, made, y);
    }
  }

  /// An end of the 8-bit levels limits nothing but a range that ends at 0.
  static std::int32_t wide_level(std::int32_t level, std::int32_t end, std::int32_t wide_end,
                                 const QValue& from, const QValue& to) {
    if (level == end && level != from.zero_point) return wide_end;
    const double steps = static_cast<double>(from.scale) / static_cast<double>(to.scale);
    const auto [lowest, highest] = levels_of(to.dtype);
    return std::clamp(static_cast<std::int32_t>(std::round((level - from.zero_point) * steps)), lowest,
                      highest);
  }

  const QuantizedGraph& graph_;
  const NodeNames& nodes_;
  QuantizedGraph result_;
  std::map<QValueId, Copies> copies_;  ///< by value of `graph_`; of constants the narrow one
  NodeNames names_;
};

}  // namespace

QuantizedGraph widened(const QuantizedGraph& graph, const NodeNames& nodes) {
  return Widening(graph, nodes).run();
}

}  // namespace compress
