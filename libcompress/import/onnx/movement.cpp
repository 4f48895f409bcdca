#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "libcompress/base/checked.h"
#include "libcompress/import/onnx/arguments.h"
#include "libcompress/import/onnx/compose.h"
#include "libcompress/import/onnx/operators.h"

namespace compress::onnx {
namespace {

constexpr std::int64_t kMostCopies = 4096;

void reshape_to(Call& call, const Shape& shape) {
  const auto& from = call.shape(0);
  if (call.skips("", from == shape)) return call.pass(0, 0);
  if (call.skips("flat", shape.size() == 2 && from.size() > 2 && shape[0] == from[0]))
    return call.define(0, call.emit("flatten", {call.value(0)}));
  call.define(0, reshape(call, call.value(0), shape, ""));
}

/// Older exporters write a group norm as an instance norm over rows of one group each, between two reshapes.
/// What comes before the first of them, if the present node is the second.
std::optional<ValueId> grouped_input(const Call& call, const Shape& target) {
  const auto* norm = call.is_constant(0) ? nullptr : call.producer(call.value(0));
  if (norm == nullptr || norm->op != "instance_norm" || norm->inputs.size() != 3) return std::nullopt;
  const auto* rows = call.producer(norm->inputs[0]);
  if (rows == nullptr || rows->op != "reshape" || call.rank(0) != 3 || target.size() < 3) return std::nullopt;
  const bool is_grouped = call.shape_of(rows->inputs[0]) == target && call.shape(0)[0] == target[0] &&
                          target[1] % call.shape(0)[1] == 0;
  if (!is_grouped || !call.is_all(norm->inputs[1], 1) || !call.is_all(norm->inputs[2], 0))
    return std::nullopt;
  return rows->inputs[0];
}

void reshape_operator(Call& call) {
  const auto shape = target_shape(call);
  if (const auto input = grouped_input(call, shape)) {
    const auto* norm = call.producer(call.value(0));
    const Attributes attributes{{"groups", call.shape(0)[1]},
                                {"epsilon", norm->attributes.number("epsilon")}};
    return call.define(0, call.emit("group_norm", {*input}, attributes));
  }
  reshape_to(call, shape);
}

void squeeze(Call& call) { reshape_to(call, squeezed_shape(call)); }

void unsqueeze(Call& call) { reshape_to(call, unsqueezed_shape(call)); }

void flatten(Call& call) {
  const auto& shape = call.shape(0);
  const auto rank = call.rank(0);
  auto axis = call.integer("axis", 1);
  if (axis != rank) axis = call.axis(axis, std::max<std::int64_t>(rank, 1));
  const auto at = static_cast<std::size_t>(axis);
  const Shape flat{product(shape, 0, at), product(shape, at, shape.size())};
  reshape_to(call, flat);
}

void transpose(Call& call) {
  const auto order = permutation(call);
  if (order == iota(call.rank(0))) return call.pass(0, 0);
  call.define(0, permute(call, call.value(0), order, ""));
}

void concat(Call& call) {
  const auto axis = call.axis(call.integer("axis", 0), call.rank(0));
  if (call.input_count() == 1) return call.pass(0, 0);
  std::vector<ValueId> inputs;
  for (std::size_t i = 0; i < call.input_count(); ++i) inputs.push_back(call.value(i));
  call.define(0, call.emit("concat", inputs, {{"axis", axis}}));
}

void split(Call& call) {
  const auto axis = call.axis(call.integer("axis", 0), call.rank(0));
  const auto parts = split_extents(call, call.shape(0)[static_cast<std::size_t>(axis)]);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto end = begin + parts[i];
    if (call.wants(i)) {
      const auto part = parts.size() == 1 ? "" : fmt::format("{}", i);
      call.define(i, slice(call, call.value(0), axis, begin, end, 1, part));
    }
    begin = end;
  }
}

ValueId take(Call& call, ValueId value, std::int64_t axis, Integers indices, const std::string& part) {
  return call.emit("gather", {value}, {{"axis", axis}, {"indices", std::move(indices)}}, part);
}

void slice_operator(Call& call) {
  const auto ranges = slice_ranges(call);
  std::size_t left = 0;
  std::vector<bool> is_skipped;
  for (const auto& range : ranges) {
    is_skipped.push_back(call.skips(fmt::format("axis{}", is_skipped.size()), range.is_whole()));
    left += !is_skipped.back();
  }
  if (left == 0) return call.pass(0, 0);
  auto value = call.value(0);
  for (std::size_t axis = 0; axis < ranges.size(); ++axis) {
    const auto& range = ranges[axis];
    if (is_skipped[axis]) continue;
    if (range.count == 0) call.refuse(fmt::format("nothing left of axis {}", axis), "at least one index");
    const auto part = --left == 0 ? "" : fmt::format("axis{}", axis);
    const auto at = static_cast<std::int64_t>(axis);
    if (range.step > 0) {
      const auto last = range.begin + (range.count - 1) * range.step;
      value = slice(call, value, at, range.begin, last + 1, range.step, part);
    } else {
      Integers indices;
      for (std::int64_t i = 0; i < range.count; ++i) indices.push_back(range.begin + i * range.step);
      value = take(call, value, at, std::move(indices), part);
    }
  }
  call.define(0, value);
}

void gather(Call& call) {
  if (!call.is_constant(1))
    call.refuse("indices that are computed while the network runs", "constant indices");
  const auto axis = call.axis(call.integer("axis", 0), call.rank(0));
  const auto at = static_cast<std::size_t>(axis);
  const auto indices = checked_indices(call, call.shape(0)[at]);
  const auto& source = call.shape(0);
  const auto& places = call.shape(1);
  if (indices.empty()) call.refuse("no indices", "at least one");
  Shape shape(source.begin(), source.begin() + axis);
  shape.insert(shape.end(), places.begin(), places.end());
  shape.insert(shape.end(), source.begin() + axis + 1, source.end());
  const std::string part = places.size() == 1 ? "" : "taken";
  const auto taken = indices.size() == 1
                         ? slice(call, call.value(0), axis, indices[0], indices[0] + 1, 1, part)
                         : take(call, call.value(0), axis, indices, part);
  call.define(0, reshape(call, taken, shape, ""));
}

void pad_operator(Call& call) {
  const auto mode = call.text("mode", "constant");
  constexpr double kMost = std::numeric_limits<float>::max();  // in place of infinity
  const auto stated = call.opset() < 11 ? call.number("value", 0.0) : call.has(2) ? call.number(2) : 0.0;
  const auto number = std::clamp(stated, -kMost, kMost);
  const bool known = mode == "constant" || mode == "reflect" || mode == "edge" || mode == "wrap";
  if (!known) call.refuse(fmt::format("mode {}", in_quotes(mode)), "constant, reflect, edge, wrap");
  const auto result =
      pad(call, call.value(0), paddings(call), mode == "wrap" ? "circular" : mode, number, "");
  call.define(0, result);
}

void expand(Call& call) {
  const auto& from = call.shape(0);
  const auto wanted = call.integers(1);
  for (const auto extent : wanted) {
    if (extent < 1 || extent > (std::int64_t{1} << 31))
      call.refuse("shape " + to_string(wanted), "extents of 1 or more");
  }
  const auto shape = broadcast(from, wanted);
  if (!shape) call.refuse("shape " + to_string(wanted), "one that fits " + to_string(from));
  if (call.skips("", *shape == from)) return call.pass(0, 0);
  Shape aligned(shape->size() - from.size(), 1);
  aligned.insert(aligned.end(), from.begin(), from.end());
  const auto same = call.skips("same", aligned == *shape);
  auto value = reshape(call, call.value(0), aligned, same ? "" : "aligned");
  if (!same) value = call.emit("expand", {value}, {{"shape", *shape}});
  call.define(0, value);
}

/// An axis of one index is expanded, any other laid behind itself.
void tile(Call& call) {
  const auto repeats = call.integers(1);
  if (repeats.size() != call.shape(0).size())
    call.refuse(fmt::format("{} repeats", repeats.size()), fmt::format("{}", call.shape(0).size()));
  auto value = call.value(0);
  Shape grown = call.shape(0);
  for (std::size_t i = 0; i < repeats.size(); ++i) {
    if (repeats[i] < 1) call.refuse("repeats " + to_string(repeats), "1 or more");
    if (grown[i] == 1) {
      grown[i] = repeats[i];
      continue;
    }
    if (repeats[i] == 1) continue;
    if (repeats[i] > kMostCopies)
      call.refuse("repeats " + to_string(repeats), fmt::format("up to {}", kMostCopies));
    const std::vector<ValueId> copies(static_cast<std::size_t>(repeats[i]), value);
    value = call.emit("concat", copies, {{"axis", static_cast<std::int64_t>(i)}}, fmt::format("axis{}", i));
    grown[i] = call.shape_of(value)[i];
  }
  if (grown != call.shape_of(value)) {
    checked_product(grown, call.where());
    value = call.emit("expand", {value}, {{"shape", grown}});
  }
  call.define(0, value);
}

template <const char* op>
void blocks(Call& call) {
  const auto mode = call.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") call.refuse(fmt::format("mode {}", in_quotes(mode)), "DCR, CRD");
  call.define(0, call.emit(op, {call.value(0)},
                           {{"block", call.integer("blocksize", 1)},
                            {"order", std::string(mode == "DCR" ? "dcr" : "crd")}}));
}

constexpr char kDepthToSpace[] = "depth_to_space", kSpaceToDepth[] = "space_to_depth";

/// Between float types, all of which are float32 here.
void cast(Call& call) {
  const auto type = call.node().op == "Cast"
                        ? static_cast<ElementType>(static_cast<std::int32_t>(call.integer("to", 0)))
                        : call.type(1);
  if (!is_float(type)) call.refuse(fmt::format("a cast to {}", name_of(type)), "casts to floats");
  call.pass(0, 0);
}

}  // namespace

std::vector<Operator> movement_operators() {
  return {{"Cast", cast},
          {"CastLike", cast},
          {"Concat", concat},
          {"DepthToSpace", blocks<kDepthToSpace>},
          {"Expand", expand},
          {"Flatten", flatten},
          {"Gather", gather},
          {"Pad", pad_operator},
          {"Reshape", reshape_operator},
          {"Slice", slice_operator},
          {"SpaceToDepth", blocks<kSpaceToDepth>},
          {"Split", split},
          {"Squeeze", squeeze},
          {"Tile", tile},
          {"Transpose", transpose},
          {"Unsqueeze", unsqueeze}};
}

}  // namespace compress::onnx
