// Operators that move, repeat or join elements.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "libcompress/base/checked.h"
#include "libcompress/import/tensor_math.h"
#include "libcompress/import/tflite/operators.h"

namespace compress::tflite {
namespace {

constexpr std::size_t kMostRepeats = 4096;

/// The result of an operator that only gives the elements another shape.
void reshape_to(const Call& call, const Shape& shape) {
  if (call.is_constant(0)) {
    if (element_count(call.shape(0)) != checked_product(shape, call.where()))
      call.refuse(fmt::format("a reshape of {} to {}", to_string(call.shape(0)), to_string(shape)),
                  "as many elements");
    call.charge(shape);
    return call.define(0, tensor_math::reshaped(call.tensor(0), shape));
  }
  call.define(0, call.reshaped(call.view(0), shape));
}

void reshape(const Call& call) {
  constexpr std::uint16_t kShape = 0;
  auto shape = call.has(1) ? call.integers(1) : call.options().integers(kShape);
  const auto count = element_count(call.shape(0));
  const auto open = std::find(shape.begin(), shape.end(), -1);
  if (open != shape.end()) {
    *open = 1;
    const auto known = checked_product(shape, call.where());
    if (known < 1 || count % known != 0) {
      *open = -1;
      call.refuse(fmt::format("a reshape of {} to {}", to_string(call.shape(0)), to_string(shape)),
                  "as many elements");
    }
    *open = count / known;
  }
  reshape_to(call, shape);
}

void squeeze(const Call& call) {
  constexpr std::uint16_t kAxes = 0;
  const auto shape = call.shape(0);
  std::vector<bool> gone(shape.size());
  const auto listed = call.options().integers(kAxes);
  for (const auto axis : listed) gone[call.axis(axis, shape.size())] = true;
  Shape rest;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool is_gone = listed.empty() ? shape[i] == 1 : gone[i];
    if (is_gone && shape[i] != 1)
      call.refuse(fmt::format("axis {} of extent {}", i, shape[i]), "axes of extent 1");
    if (!is_gone) rest.push_back(shape[i]);
  }
  reshape_to(call, rest);
}

void expand_dims(const Call& call) {
  auto shape = call.shape(0);
  const auto at = call.axis(call.integer(1), shape.size() + 1);
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(at), 1);
  reshape_to(call, shape);
}

/// Only the view changes: what reads it asks for the order that it needs.
void transpose(const Call& call) {
  const auto order = call.integers(1);
  const auto rank = call.rank(0);
  if (order.size() != rank || call.axes(1, rank).size() != rank)
    call.refuse("an order " + to_string(order), fmt::format("each of {} axes once", rank));
  Integers from;
  for (const auto axis : order) from.push_back(static_cast<std::int64_t>(call.axis(axis, rank)));
  if (call.is_constant(0)) return call.define(0, permuted(call, 0, from));
  const auto input = call.view(0);
  View moved{input.value, {}};
  for (const auto axis : from) moved.axes.push_back(input.axes[static_cast<std::size_t>(axis)]);
  call.define(0, moved);
}

// ---- Joining

/// The order of axes of the first computed input that is not in the file's.
Integers common_order(const std::vector<View>& views) {
  const auto straight = file_order(views.front().axes.size());
  for (const auto& view : views) {
    if (view.axes != straight) return view.axes;
  }
  return straight;
}

View joined(const Call& call, const std::vector<View>& views, std::size_t axis,
            const std::string& part = "") {
  for (const auto& view : views) {
    if (view.axes.size() != views.front().axes.size()) call.refuse("inputs of different rank", "one rank");
  }
  if (views.size() == 1) return views.front();
  const auto axes = common_order(views);
  std::vector<ValueId> values;
  for (const auto& view : views) values.push_back(call.order(view, axes));
  return {call.emit("concat", values, {{"axis", axes[axis]}}, part), axes};
}

std::vector<View> all_inputs(const Call& call) {
  if (call.input_count() == 0) call.refuse("no input", "one or more");
  std::vector<View> views;
  for (std::size_t i = 0; i < call.input_count(); ++i) views.push_back(call.view(i));
  return views;
}

void concatenation(const Call& call) {
  constexpr std::uint16_t kAxis = 0, kActivation = 1;
  const auto axis = call.axis(call.options().integer(kAxis), call.rank(0));
  call.define_activated(joined(call, all_inputs(call), axis), call.options().byte(kActivation));
}

Shape with_new_axis(Shape shape, std::size_t at) {
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(at), 1);
  return shape;
}

void pack(const Call& call) {
  constexpr std::uint16_t kAxis = 1;
  const auto axis = call.axis(call.options().integer(kAxis), call.rank(0) + 1);
  auto views = all_inputs(call);
  for (std::size_t i = 0; i < views.size(); ++i)
    views[i] =
        call.reshaped(views[i], with_new_axis(call.shape_of(views[i]), axis), fmt::format("part{}", i));
  call.define(0, joined(call, views, axis));
}

/// Constants of one type and of one shape but for `axis`.
std::vector<Tensor> alike(const Call& call, std::size_t axis, bool new_axis) {
  std::vector<Tensor> parts;
  Shape sum;
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    const auto& tensor = call.tensor(i);
    auto shape = new_axis ? with_new_axis(tensor.shape(), axis) : tensor.shape();
    parts.push_back(tensor_math::reshaped(tensor, shape));
    if (sum.empty()) sum = shape;
    auto rest = shape;
    if (rest.size() == sum.size()) rest[axis] = sum[axis];
    if (rest != sum || tensor.dtype() != parts.front().dtype())
      call.refuse("constants that do not fit each other", "one type, and one shape but for the axis");
    if (i > 0) sum[axis] = checked_add(sum[axis], shape[axis], call.where());
  }
  if (parts.empty()) call.refuse("no input", "one or more");
  call.charge(sum);
  return parts;
}

void fold_concatenation(const Call& call) {
  const auto axis = call.axis(call.options().integer(0), call.rank(0));
  call.define(0, tensor_math::joined(alike(call, axis, false), axis));
}

void fold_pack(const Call& call) {
  const auto axis = call.axis(call.options().integer(1), call.rank(0) + 1);
  call.define(0, tensor_math::joined(alike(call, axis, true), axis));
}

// ---- Repeating

void tile(const Call& call) {
  auto view = call.view(0);
  const auto repeats = call.integers(1);
  if (repeats.size() != view.axes.size())
    call.refuse("multiples " + to_string(repeats), fmt::format("{} numbers", view.axes.size()));
  for (std::size_t axis = 0; axis < repeats.size(); ++axis) {
    const auto count = static_cast<std::size_t>(positive(call, repeats[axis], "a multiple of"));
    if (count > kMostRepeats)
      call.refuse(fmt::format("a multiple of {}", count), fmt::format("up to {}", kMostRepeats));
    view = joined(call, std::vector<View>(count, view), axis, fmt::format("along{}", axis));
  }
  call.define(0, view);
}

void broadcast_to(const Call& call) {
  const auto wanted = call.integers(1);
  const auto rank = call.rank(0);
  if (wanted.size() < rank || tensor_math::broadcast(call.shape(0), wanted) != wanted)
    call.refuse(fmt::format("{} to {}", to_string(call.shape(0)), to_string(wanted)),
                "what repeats axes of 1");
  Shape longer(wanted.size() - rank, 1);
  const auto shape = call.shape(0);
  longer.insert(longer.end(), shape.begin(), shape.end());
  const auto view = call.reshaped(call.view(0), longer, "operand");
  Shape own(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) own[static_cast<std::size_t>(view.axes[i])] = wanted[i];
  call.define(0, View{call.emit("expand", {view.value}, {{"shape", own}}), view.axes});
}

void fold_broadcast_to(const Call& call) {
  const auto wanted = call.integers(1);
  if (tensor_math::broadcast(call.shape(0), wanted) != wanted)
    call.refuse(fmt::format("{} to {}", to_string(call.shape(0)), to_string(wanted)),
                "what repeats axes of 1");
  call.charge(wanted);
  call.define(0, tensor_math::expanded(call.tensor(0), wanted));
}

// ---- Padding

/// Rows of input 1, [before, behind] of each axis, in the value's order: all befores, then all behinds.
Integers paddings(const Call& call, const View& view) {
  const auto rank = view.axes.size();
  const auto listed = call.integers(1);
  if (listed.size() != 2 * rank)
    call.refuse(fmt::format("{} paddings", listed.size()), fmt::format("{}", 2 * rank));
  Integers own(2 * rank, 0);
  for (std::size_t i = 0; i < rank; ++i) {
    own[static_cast<std::size_t>(view.axes[i])] = listed[2 * i];
    own[rank + static_cast<std::size_t>(view.axes[i])] = listed[2 * i + 1];
  }
  return own;
}

void pad(const Call& call) {
  const auto input = call.view(0);
  constexpr double kMost = std::numeric_limits<float>::max();  // in place of infinity
  const auto value = std::clamp(call.has(2) ? call.number(2) : 0.0, -kMost, kMost);
  call.define(
      0, View{call.emit(
                  "pad", {input.value},
                  {{"padding", paddings(call, input)}, {"mode", std::string("constant")}, {"value", value}}),
              input.axes});
}

/// Indices of an axis of `extent` that is mirrored with its border elements.
Integers mirrored(const Call& call, std::int64_t extent, std::int64_t before, std::int64_t behind) {
  if (before < 0 || behind < 0 || std::max(before, behind) > extent)
    call.refuse(fmt::format("{} elements mirrored by {} and {}", extent, before, behind),
                "no more than there are");
  call.charge({extent + before + behind});
  Integers indices;
  for (auto i = before - 1; i >= 0; --i) indices.push_back(i);
  for (std::int64_t i = 0; i < extent; ++i) indices.push_back(i);
  for (std::int64_t i = 0; i < behind; ++i) indices.push_back(extent - 1 - i);
  return indices;
}

void mirror_pad(const Call& call) {
  constexpr std::uint16_t kMode = 0;
  const auto input = call.view(0);
  const auto padding = paddings(call, input);
  const auto mode = call.options().byte(kMode);
  if (mode == 0)
    return call.define(
        0, View{call.emit("pad", {input.value},
                          {{"padding", padding}, {"mode", std::string("reflect")}, {"value", 0.0}}),
                input.axes});
  if (mode != 1) call.refuse(fmt::format("mode {}", mode), "REFLECT, SYMMETRIC");
  auto value = input.value;
  const auto rank = input.axes.size();
  for (std::size_t i = 0; i < rank; ++i) {
    const auto axis = static_cast<std::size_t>(input.axes[i]);
    if (padding[axis] == 0 && padding[rank + axis] == 0) continue;
    const auto indices = mirrored(call, call.shape(0)[i], padding[axis], padding[rank + axis]);
    value = call.emit("gather", {value}, {{"axis", input.axes[i]}, {"indices", indices}},
                      fmt::format("axis{}", i));
  }
  call.define(0, View{value, input.axes});
}

}  // namespace

std::vector<Operator> movement_operators() {
  return {{"BROADCAST_TO", broadcast_to, fold_broadcast_to},
          {"CONCATENATION", concatenation, fold_concatenation},
          {"EXPAND_DIMS", expand_dims, expand_dims},
          {"MIRROR_PAD", mirror_pad},
          {"PACK", pack, fold_pack},
          {"PAD", pad},
          {"PADV2", pad},
          {"RESHAPE", reshape, reshape},
          {"SQUEEZE", squeeze, squeeze},
          {"TILE", tile},
          {"TRANSPOSE", transpose, transpose}};
}

}  // namespace compress::tflite
