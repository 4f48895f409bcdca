#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "libcompress/quant/lower/operators.h"

namespace compress::lowering {
namespace {

using Integers = std::vector<std::int64_t>;

/// First and last position of `axes` in `order` if they are neighbors there, added ones between them allowed.
std::optional<QMean> neighbors(const AxisOrder& order, const Integers& axes) {
  const auto reduced = [&](int axis) { return std::find(axes.begin(), axes.end(), axis) != axes.end(); };
  const auto first = std::find_if(order.begin(), order.end(), reduced);
  const auto last = std::find_if(order.rbegin(), order.rend(), reduced).base();  // behind it
  if (!std::all_of(first, last, [&](int axis) { return axis == kAdded || reduced(axis); }))
    return std::nullopt;
  QMean mean;
  mean.first_axis = static_cast<std::int32_t>(first - order.begin());
  mean.last_axis = static_cast<std::int32_t>(last - order.begin()) - 1;
  return mean;
}

/// The order of the result's axes: those that stay, by their new numbers.
AxisOrder order_without(const AxisOrder& order, const QMean& mean, const Integers& axes) {
  AxisOrder left;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (static_cast<std::int32_t>(i) >= mean.first_axis && static_cast<std::int32_t>(i) <= mean.last_axis)
      continue;
    const auto before = std::count_if(axes.begin(), axes.end(), [&](auto axis) { return axis < order[i]; });
    left.push_back(order[i] == kAdded ? kAdded : order[i] - static_cast<int>(before));
  }
  return left;
}

void mean(Lowering& to, const Node& node) {
  const auto& axes = node.attributes.integers("axes");
  refuse_if(axes.empty() || axes.front() == 0, node, "a mean over the batch", "axes behind the batch");
  const auto input = node.inputs[0];
  auto order = canonical_order(to.rank(input));
  auto op = neighbors(order, axes);
  if (!op) {
    order = natural_order(to.rank(input));
    op = neighbors(order, axes);
  }
  refuse_if(!op, node, "axes that are not neighbors", "neighboring axes");
  const auto x = to.form(input, order);
  const auto scale = to.chosen_scale(node.output);
  const bool keeps = node.attributes.boolean("keep");
  const auto result_order = keeps ? order : order_without(order, *op, axes);
  QValue output;
  output.scale = scale.scale;
  op->requantization = mean_factor(to.value(x), output, extents_of(*op, to.value(x).shape).count);
  const auto y =
      to.add_activation(to.name_in(node.output, result_order), to.shape_in(node.output, result_order), scale);
  to.set_form(node.output, {to.add_node(node.name, *op, {x}, y), result_order});
}

}  // namespace

std::vector<Operator> reduction_operators() { return {{"reduce_mean", mean}}; }

}  // namespace compress::lowering
