// Ids through sums over an axis against weights: convolutions, linear layers, matrix products.
#include <fmt/format.h>

#include <algorithm>

#include "libcompress/graph/ops/couple.h"

namespace compress::couple {
namespace {

/// Each input channel has its own filters: channel c makes the outputs c * m .. c * m + m - 1.
bool is_depthwise(std::int64_t groups, const Shape& weight) { return groups > 1 && weight[1] == 1; }

/// Channels and filters one to one, or one to the multiplier.
void couple_depthwise(IdFlow& flow) {
  const auto outputs = cells_along(flow, 1, 0);
  const auto inputs = cells_along(flow, 0, 1);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    flow.tie(inputs[i / (outputs.size() / inputs.size())], outputs[i]);
}

/// A weight index serves every group, so index j goes in all groups or in none: coarse, but counts stay
/// equal.
void couple_grouped(IdFlow& flow, std::size_t groups) {
  tie_blocks(flow, cells_along(flow, 1, 0), groups);
  const auto window = cells_along(flow, 1, 1);
  const auto inputs = cells_along(flow, 0, 1);
  for (std::size_t i = 0; i < inputs.size(); ++i) flow.tie(inputs[i], window[i % window.size()]);
}

/// Nothing removes a row or column of a kernel.
void pin_kernel(IdFlow& flow) {
  static const std::string reason = "it is a row or column of a kernel";
  for (const auto& layer : flow.layers(1)) {
    if (layer.axis >= 2) flow.pin(layer, reason);
  }
}

/// What the filters make, with their biases. `zero`: the filters are zero where they are removed.
void emit_filters(IdFlow& flow, int axis, std::vector<CellId> filters, bool zero) {
  if (flow.input_count() > 2) {
    flow.tie(filters, cells_along(flow, 2, 0));
    zero = zero && is_zero_along(flow, 2, 0);
  }
  if (std::all_of(filters.begin(), filters.end(), [](CellId cell) { return cell == kNoCell; })) return;
  flow.emit({axis, std::move(filters), zero});
}

/// Along which spatial axes the window covers one element a step.
std::vector<bool> unit_steps(const IdFlow& flow) {
  const auto& weight = flow.input_shape(1);
  const auto& stride = flow.node().attributes.integers("stride");
  const auto& padding = flow.node().attributes.integers("padding");
  std::vector<bool> unit;
  for (std::size_t i = 0; i < stride.size(); ++i)
    unit.push_back(weight[i + 2] == 1 && stride[i] == 1 && padding[i] == 0 &&
                   padding[stride.size() + i] == 0);
  return unit;
}

/// The transposed form: weight [C, 1, ...] with as many channels as groups.
bool is_depthwise_transpose(std::int64_t groups, const Shape& weight) {
  return groups > 1 && weight[0] == groups && weight[1] == 1;
}

std::vector<CellId> repeated(const std::vector<CellId>& cells, std::size_t times) {
  std::vector<CellId> result;
  for (std::size_t i = 0; i < times; ++i) result.insert(result.end(), cells.begin(), cells.end());
  return result;
}

}  // namespace

void conv(IdFlow& flow) {
  const auto& weight = flow.full_input_shape(1);
  const auto groups = flow.full_node().attributes.integer("groups");
  pin_kernel(flow);
  if (groups == 1) {
    contract(flow, 1, 1, 1);
  } else {
    pin_further_layers(flow, 0, 1);
    const int read = is_depthwise(groups, weight) ? 0 : 1;  // the weight's axis that goes with the input
    if (!is_zero_along(flow, 1, read)) pin_unless_zero(flow, 0, 1);
    if (is_depthwise(groups, weight)) {
      couple_depthwise(flow);
    } else {
      couple_grouped(flow, static_cast<std::size_t>(groups));
    }
  }
  emit_filters(flow, 1, cells_along(flow, 1, 0), is_zero_along(flow, 1, 0));

  slide_over_spatial_axes(flow, unit_steps(flow));
}

/// A depthwise convolution has as many groups as channels are left; any other keeps its groups.
Rewrite resize_conv(const Remains& left) {
  const auto& before = left.before();
  Rewrite rewrite{"conv", before.attributes};
  if (is_depthwise(before.attributes.integer("groups"), before.input(1)))
    rewrite.attributes.set("groups", left.input(0)[1]);
  return rewrite;
}

/// Every output is a sum over the last axis. Ids along the others move on: what a removed index leaves there
/// is read only where its consumers' weights go too.
void linear(IdFlow& flow) {
  const int last = static_cast<int>(flow.input_shape(0).size()) - 1;
  contract(flow, last, 1, 1);
  emit_filters(flow, last, cells_along(flow, 1, 0), is_zero_along(flow, 1, 0));
  const bool without_bias = flow.input_count() < 3;
  for (const auto& layer : flow.layers(0)) {
    if (layer.axis != last) flow.emit(layer.with_zero(layer.zero && without_bias));
  }
}

void conv_transpose(IdFlow& flow) {
  const auto& weight = flow.full_input_shape(1);
  const auto groups = flow.full_node().attributes.integer("groups");
  pin_kernel(flow);
  bool zero = is_zero_along(flow, 1, 1);
  auto outputs = cells_along(flow, 1, 1);
  if (groups == 1) {
    contract(flow, 1, 1, 0);
  } else {
    const auto inputs = cells_along(flow, 0, 1);
    pin_further_layers(flow, 0, 1);
    if (!is_zero_along(flow, 1, 0)) pin_unless_zero(flow, 0, 1);
    flow.tie(inputs, cells_along(flow, 1, 0));
    if (is_depthwise_transpose(groups, weight)) {
      zero = is_zero_along(flow, 1, 0);
      outputs = cells_along(flow, 1, 0);
    } else {
      tie_blocks(flow, inputs, static_cast<std::size_t>(groups));
      outputs = repeated(outputs, static_cast<std::size_t>(groups));
    }
  }
  emit_filters(flow, 1, std::move(outputs), zero);
  slide_over_spatial_axes(flow, unit_steps(flow));
}

Rewrite resize_conv_transpose(const Remains& left) {
  const auto& before = left.before();
  Rewrite rewrite{"conv_transpose", before.attributes};
  if (is_depthwise_transpose(before.attributes.integer("groups"), before.input(1)))
    rewrite.attributes.set("groups", left.input(0)[1]);
  return rewrite;
}

void matmul(IdFlow& flow) {
  const int rank = static_cast<int>(flow.output_shape().size());
  const int left_last = static_cast<int>(flow.input_shape(0).size()) - 1;
  const int right_last = static_cast<int>(flow.input_shape(1).size()) - 1;
  contract(flow, left_last, 1, right_last - 1);
  for (const auto& layer : flow.layers(0)) {
    if (layer.axis == left_last - 1) flow.emit(layer.on(rank - 2));
  }
  for (const auto& layer : flow.layers(1)) {
    if (layer.axis == right_last) flow.emit(layer.on(rank - 1));
  }
  product_over(flow, rank - 2);
}

}  // namespace compress::couple
