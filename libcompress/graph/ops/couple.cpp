#include "libcompress/graph/ops/couple.h"

#include <fmt/format.h>

#include <algorithm>

namespace compress::couple {
namespace {

const Op& op_of(const IdFlow& flow) { return find_op(flow.node().op, flow.node().name); }

/// Where the layers of an elementwise operator's inputs meet along one axis of its output.
struct Meeting {
  std::vector<std::size_t> full;                    ///< inputs that have the whole extent
  std::vector<std::vector<const IdLayer*>> layers;  ///< theirs, by position in `full`
  bool broadcast = false;                           ///< another input is repeated along the axis
};

Meeting meet(const IdFlow& flow, int axis) {
  Meeting meeting;
  const auto rank = static_cast<int>(flow.full_output_shape().size());
  const auto extent = flow.full_output_shape()[static_cast<std::size_t>(axis)];
  for (std::size_t i = 0; i < flow.input_count(); ++i) {
    const auto& shape = flow.full_input_shape(i);
    const int own = axis - (rank - static_cast<int>(shape.size()));
    if (own < 0 || shape[static_cast<std::size_t>(own)] != extent) {
      meeting.broadcast = true;
      continue;
    }
    auto layers = layers_along(flow.layers(i), own);
    meeting.full.push_back(i);
    meeting.layers.push_back(std::move(layers));
  }
  return meeting;
}

/// An axis of extent 1 that is repeated has one index, and that one is read everywhere. Of the first `axes`
/// axes of the output.
void pin_repeated(IdFlow& flow, int axes) {
  const auto rank = flow.output_shape().size();
  for (std::size_t i = 0; i < flow.input_count(); ++i) {
    for (const auto& layer : flow.layers(i)) {
      const auto own = static_cast<std::size_t>(layer.axis);
      const auto axis = own + rank - flow.input_shape(i).size();
      if (axis < static_cast<std::size_t>(axes) && flow.input_shape(i)[own] != flow.output_shape()[axis])
        flow.pin(layer, fmt::format("node '{}' repeats it", flow.node().name));
    }
  }
}

enum class Zero { all, any, none };

/// Ties what meets and emits it. `Zero` says of which inputs removed indices must be zero for the output's to
/// be.
void elementwise(IdFlow& flow, Zero rule, int axes) {
  pin_repeated(flow, axes);
  for (int axis = 0; axis < axes; ++axis) {
    const auto meeting = meet(flow, axis);
    std::size_t common = meeting.full.empty() ? 0 : meeting.layers.front().size();
    std::size_t stiff = 0;  // the input that has the fewest
    for (std::size_t i = 0; i < meeting.layers.size(); ++i) {
      if (meeting.layers[i].size() >= common) continue;
      common = meeting.layers[i].size();
      stiff = i;
    }
    for (const auto& layers : meeting.layers) {
      for (std::size_t level = common; level < layers.size(); ++level)
        flow.pin(*layers[level], fmt::format("node '{}' combines it with '{}', which cannot shrink there",
                                             flow.node().name, flow.input_name(meeting.full[stiff])));
    }
    for (std::size_t level = 0; level < common; ++level) {
      const auto& first = *meeting.layers.front()[level];
      bool all = !meeting.broadcast, any = false;
      for (const auto& layers : meeting.layers) {
        flow.tie(*first.cells, *layers[level]->cells);
        all = all && layers[level]->zero;
        any = any || layers[level]->zero;
      }
      flow.emit(first.on(axis).with_zero(rule == Zero::all ? all : rule == Zero::any && any));
    }
  }
}

void elementwise(IdFlow& flow, Zero rule) {
  elementwise(flow, rule, static_cast<int>(flow.output_shape().size()));
}

/// Pins what would be zero in the twin where the operator may be infinite at zero.
void pin_zeros(IdFlow& flow, std::size_t input, std::string_view what) {
  for (const auto& layer : flow.layers(input)) {
    if (layer.zero && flow.full_input_shape(input)[static_cast<std::size_t>(layer.axis)] > 1)
      flow.pin(layer, fmt::format("node '{}' {}", flow.node().name, what));
  }
}

/// Where each axis of the input goes, -1 for one that is reduced away or to 1.
std::vector<int> surviving_axes(const IdFlow& flow) {
  const auto& axes = flow.node().attributes.integers("axes");
  const bool keep = flow.node().attributes.boolean("keep");
  std::vector<int> places;
  int next = 0;
  for (std::size_t axis = 0; axis < flow.input_shape(0).size(); ++axis) {
    const bool reduced = std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(axis)) != axes.end();
    places.push_back(reduced ? -1 : next);
    if (!reduced || keep) ++next;
  }
  return places;
}

void reduction(IdFlow& flow, bool zeros_count_for_nothing) {
  const auto places = surviving_axes(flow);
  for (const auto& layer : flow.layers(0)) {
    const int place = places[static_cast<std::size_t>(layer.axis)];
    if (place >= 0) {
      flow.emit(layer.on(place));
    } else if (!zeros_count_for_nothing || !layer.zero) {
      flow.pin(layer, fmt::format("node '{}' reduces over it and needs every index", flow.node().name));
    } else {
      flow.keep_one_of(*layer.cells);
    }
  }
}

}  // namespace

void pass_through(IdFlow& flow) {
  const bool keeps_zero = op_of(flow).zero_to_zero;
  for (const auto& layer : flow.layers(0)) flow.emit(layer.with_zero(layer.zero && keeps_zero));
}

void pass_unless_zero(IdFlow& flow) {
  for (const auto& layer : flow.layers(0)) {
    if (layer.zero) {
      flow.pin(layer, fmt::format("node '{}' is infinite where it is removed", flow.node().name));
    } else {
      flow.emit(layer);
    }
  }
}

void clip(IdFlow& flow) {
  const auto& attributes = flow.node().attributes;
  const bool keeps_zero = attributes.number("min") <= 0.0 && attributes.number("max") >= 0.0;
  for (const auto& layer : flow.layers(0)) flow.emit(layer.with_zero(layer.zero && keeps_zero));
}

void sum(IdFlow& flow) { elementwise(flow, Zero::all); }
void product(IdFlow& flow) { elementwise(flow, Zero::any); }
void product_over(IdFlow& flow, int axes) { elementwise(flow, Zero::any, axes); }

void quotient(IdFlow& flow) {
  pin_zeros(flow, 1, "divides by it");
  elementwise(flow, Zero::none);
}

void power(IdFlow& flow) {
  pin_zeros(flow, 0, "raises it to a power");
  elementwise(flow, Zero::none);
}

void linear_reduction(IdFlow& flow) { reduction(flow, true); }
void full_reduction(IdFlow& flow) { reduction(flow, false); }

void softmax(IdFlow& flow) {
  const auto axis = static_cast<int>(flow.node().attributes.integer("axis"));
  for (const auto& layer : flow.layers(0)) {
    if (layer.axis != axis) {
      flow.emit(layer.with_zero(false));
    } else {
      flow.pin(layer, fmt::format("the softmax '{}' runs over it and needs every index", flow.node().name));
    }
  }
}

void global_pool(IdFlow& flow) {
  for (const auto& layer : flow.layers(0)) {
    if (layer.axis < 2) flow.emit(layer);
  }
  slide_over_spatial_axes(flow, std::vector<bool>(flow.input_shape(0).size() - 2, false));
}

std::vector<CellId> cells_along(const IdFlow& flow, std::size_t input, int axis) {
  const auto layers = layers_along(flow.layers(input), axis);
  if (!layers.empty()) return *layers.front()->cells;
  const auto extent = flow.input_shape(input)[static_cast<std::size_t>(axis)];
  return std::vector<CellId>(static_cast<std::size_t>(extent), kNoCell);
}

bool is_zero_along(const IdFlow& flow, std::size_t input, int axis) {
  const auto layers = layers_along(flow.layers(input), axis);
  return !layers.empty() && layers.front()->zero;
}

void pin_further_layers(IdFlow& flow, std::size_t input, int axis) {
  const auto layers = layers_along(flow.layers(input), axis);
  for (std::size_t i = 1; i < layers.size(); ++i)
    flow.pin(*layers[i],
             fmt::format("two prunable axes meet in the one that node '{}' reads", flow.node().name));
}

void pin_unless_zero(IdFlow& flow, std::size_t input, int axis) {
  for (const auto* layer : layers_along(flow.layers(input), axis)) {
    if (!layer->zero)
      flow.pin(*layer, fmt::format("node '{}' sums over it, and nothing zeroes what would be removed",
                                   flow.node().name));
  }
}

void contract(IdFlow& flow, int axis, std::size_t other, int other_axis) {
  pin_further_layers(flow, 0, axis);
  pin_further_layers(flow, other, other_axis);
  const auto left = layers_along(flow.layers(0), axis);
  const auto right = layers_along(flow.layers(other), other_axis);
  if (!left.empty() && !right.empty()) {
    flow.tie(*left.front()->cells, *right.front()->cells);
    if (left.front()->zero || right.front()->zero) return;
    flow.pin(*left.front(), fmt::format("node '{}' sums over it, and nothing zeroes what would be removed",
                                        flow.node().name));
    return;
  }
  if (!left.empty())
    flow.pin(*left.front(), fmt::format("node '{}' sums over it with '{}', which cannot shrink there",
                                        flow.node().name, flow.input_name(other)));
  if (!right.empty())
    flow.pin(*right.front(),
             fmt::format("node '{}' reads data there that nothing removes", flow.node().name));
}

void follow(IdFlow& flow, int axis, std::size_t operand, int dimension) {
  if (operand >= flow.input_count()) return;
  const auto own = layers_along(flow.layers(0), axis);
  const auto theirs = layers_along(flow.layers(operand), dimension);
  if (theirs.empty()) {
    for (const auto* layer : own)
      flow.pin(*layer, fmt::format("node '{}' combines it with '{}', which cannot shrink there",
                                   flow.node().name, flow.input_name(operand)));
    return;
  }
  if (own.empty()) {
    flow.pin(*theirs.front(),
             fmt::format("node '{}' reads data there that nothing removes", flow.node().name));
    return;
  }
  pin_further_layers(flow, 0, axis);
  flow.tie(*own.front()->cells, *theirs.front()->cells);
}

void tie_blocks(IdFlow& flow, const std::vector<CellId>& cells, std::size_t blocks) {
  const auto size = cells.size() / blocks;
  for (std::size_t i = size; i < cells.size(); ++i) flow.tie(cells[i % size], cells[i]);
}

void slide_over_spatial_axes(IdFlow& flow, const std::vector<bool>& unit) {
  for (const auto& layer : flow.layers(0)) {
    if (layer.axis < 2) continue;
    const auto at = static_cast<std::size_t>(layer.axis);
    if (unit[at - 2]) {
      flow.emit(layer.with_zero(false));
      continue;
    }
    const bool last = at + 1 == flow.input_shape(0).size();
    flow.becomes_spatial(layer, fmt::format("its channels become {} of the image that node '{}' reads",
                                            last ? "columns" : "rows", flow.node().name));
  }
}

}  // namespace compress::couple
