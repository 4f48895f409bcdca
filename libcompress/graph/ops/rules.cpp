#include "libcompress/graph/ops/rules.h"

#include <fmt/format.h>

namespace compress::rules {

void bad_call(const OpCall& call, std::string found, std::string allowed) {
  throw Error(ErrorKind::input,
              {fmt::format("node '{}'", call.node_name), std::move(found), std::move(allowed), ""});
}

void expect_rank(const OpCall& call, std::size_t i, std::size_t rank) {
  if (call.input(i).size() != rank)
    bad_call(call, fmt::format("input {} of shape {}", i, to_string(call.input(i))),
             fmt::format("rank {}", rank));
}

void expect_rank_at_least(const OpCall& call, std::size_t i, std::size_t rank) {
  if (call.input(i).size() < rank)
    bad_call(call, fmt::format("input {} of shape {}", i, to_string(call.input(i))),
             fmt::format("rank {} or more", rank));
}

const std::vector<std::int64_t>& expect_integers(const OpCall& call, std::string_view name, std::size_t size,
                                                 std::int64_t minimum) {
  const auto& list = call.attributes.integers(name);
  if (list.size() != size)
    bad_call(call, fmt::format("{} with {} elements", name, list.size()), fmt::format("{}", size));
  for (const auto item : list) {
    if (item < minimum || item > (std::int64_t{1} << 31))
      bad_call(call, fmt::format("{} holds {}", name, item), fmt::format("{} to 2^31", minimum));
  }
  return list;
}

std::int64_t window_extent(const OpCall& call, std::int64_t extent, std::int64_t kernel, std::int64_t stride,
                           std::int64_t pad_begin, std::int64_t pad_end, std::int64_t dilation) {
  const std::int64_t span = (kernel - 1) * dilation + 1;
  const std::int64_t padded = extent + pad_begin + pad_end;
  if (span > padded)
    bad_call(call, fmt::format("a window of {} over {} elements", span, padded), "a window that fits");
  return (padded - span) / stride + 1;
}

Shape same_shape(const OpCall& call) { return call.input(0); }

Cost one_op_an_element(const OpCall&, const Shape& output) { return {0, element_count(output)}; }

Cost free_of_charge(const OpCall&, const Shape&) { return {}; }

void pass_through(IdFlow& flow) {
  for (const auto& layer : flow.layers(0)) flow.emit(layer);
}

void tie_all(IdFlow& flow, const std::vector<CellId>& a, const std::vector<CellId>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) flow.tie(a[i], b[i]);
}

void tie_to_input(IdFlow& flow, int axis, std::size_t operand, int dimension) {
  const auto cells = flow.cells(operand, dimension);
  bool tied = false;
  for (const auto& layer : flow.layers(0)) {
    if (layer.varying_axis() != axis) continue;
    if (tied) {
      flow.pin(layer,
               fmt::format("two prunable axes meet in the one that node '{}' reads", flow.node().name));
    } else {
      tie_all(flow, layer.along(axis), cells);
    }
    tied = true;
  }
  if (tied) return;
  for (const auto cell : cells)
    flow.pin(cell, fmt::format("node '{}' reads data there that nothing removes", flow.node().name));
}

void emit_along(IdFlow& flow, int axis, std::vector<CellId> cells) {
  flow.emit(IdLayer::along_axis(flow.output_shape(), axis, std::move(cells)));
}

void slide_over_spatial_axes(IdFlow& flow, const std::vector<bool>& unit) {
  for (const auto& layer : flow.layers(0)) {
    const int axis = layer.varying_axis();
    if (axis == 0 || axis == 1) continue;
    if (axis < 0) {
      flow.pin(layer, fmt::format("node '{}' slides a window over it", flow.node().name));
    } else if (unit[static_cast<std::size_t>(axis) - 2]) {
      emit_along(flow, axis, layer.along(axis));
    } else {
      const bool last = static_cast<std::size_t>(axis) + 1 == layer.shape.size();
      flow.becomes_spatial(layer, fmt::format("its channels become {} of the image that node '{}' reads",
                                              last ? "columns" : "rows", flow.node().name));
    }
  }
}

}  // namespace compress::rules
