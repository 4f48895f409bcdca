// Ids through normalizations. Where a norm takes statistics over an axis that shrinks, the pruned network
// takes them over what is left, and so does the masked twin (surgery/twin.cpp).
#include <fmt/format.h>

#include "libcompress/graph/ops/couple.h"

namespace compress::couple {
namespace {

bool scale_is_zero(const IdFlow& flow, int dimension) {
  return flow.input_count() > 2 && is_zero_along(flow, 1, dimension) && is_zero_along(flow, 2, dimension);
}

void follow_scale_and_shift(IdFlow& flow, int axis, int dimension) {
  for (std::size_t operand = 1; operand < flow.input_count(); ++operand)
    follow(flow, axis, operand, dimension);
}

}  // namespace

/// Scale and shift are zero in the twin, and so is what they make.
void batch_norm(IdFlow& flow) {
  follow_scale_and_shift(flow, 1, 0);
  const bool zero = scale_is_zero(flow, 0);
  for (const auto& layer : flow.layers(0)) flow.emit(layer.with_zero(layer.axis == 1 && zero));
}

/// The twin puts zeros where indices of a normalized axis went.
void layer_norm(IdFlow& flow) {
  const auto first = static_cast<int>(flow.node().attributes.integer("axis"));
  for (int axis = first; axis < static_cast<int>(flow.input_shape(0).size()); ++axis)
    follow_scale_and_shift(flow, axis, axis - first);
  for (const auto& layer : flow.layers(0)) flow.emit(layer.with_zero(layer.axis >= first));
}

/// Groups keep equal counts, but where each is one channel.
void group_norm(IdFlow& flow) {
  const auto groups = flow.full_node().attributes.integer("groups");
  follow_scale_and_shift(flow, 1, 0);
  if (groups < flow.full_input_shape(0)[1])
    tie_blocks(flow, cells_along(flow, 0, 1), static_cast<std::size_t>(groups));
  for (const auto& layer : flow.layers(0)) {
    if (layer.axis < 2) {
      flow.emit(layer.with_zero(layer.axis == 1));
    } else {
      flow.pin(layer, fmt::format("node '{}' takes its statistics over it", flow.node().name));
    }
  }
}

Rewrite resize_group_norm(const Remains& left) {
  const auto& before = left.before();
  Rewrite rewrite{"group_norm", before.attributes};
  if (before.attributes.integer("groups") == before.input(0)[1])
    rewrite.attributes.set("groups", left.input(0)[1]);
  return rewrite;
}

void instance_norm(IdFlow& flow) {
  follow_scale_and_shift(flow, 1, 0);
  const bool zero = scale_is_zero(flow, 0);
  for (const auto& layer : flow.layers(0)) {
    if (layer.axis < 2) {
      flow.emit(layer.with_zero(layer.axis == 1 && (zero || (layer.zero && flow.input_count() == 1))));
    } else {
      flow.pin(layer, fmt::format("node '{}' takes its statistics over it", flow.node().name));
    }
  }
}

}  // namespace compress::couple
