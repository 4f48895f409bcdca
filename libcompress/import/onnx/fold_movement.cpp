#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "libcompress/base/checked.h"
#include "libcompress/import/onnx/arguments.h"
#include "libcompress/import/onnx/compose.h"
#include "libcompress/import/onnx/fold.h"

namespace compress::onnx {
namespace {

void same_elements(Call& call, Shape target) {
  if (target == call.shape(0)) return call.pass(0, 0);
  call.charge(target);
  if (element_count(target) != element_count(call.shape(0)))
    call.refuse("another number of elements", "the same");
  call.define(0, reshaped(call.tensor(0), std::move(target)), call.type(0));
}

void reshape_constant(Call& call) { same_elements(call, target_shape(call)); }
void squeeze(Call& call) { same_elements(call, squeezed_shape(call)); }
void unsqueeze(Call& call) { same_elements(call, unsqueezed_shape(call)); }

void flatten(Call& call) {
  const auto rank = call.rank(0);
  auto axis = call.integer("axis", 1);
  if (axis != rank) axis = call.axis(axis, std::max<std::int64_t>(rank, 1));
  const auto at = static_cast<std::size_t>(std::min(axis, rank));
  same_elements(call, {product(call.shape(0), 0, at), product(call.shape(0), at, call.shape(0).size())});
}

void transpose(Call& call) {
  const auto order = permutation(call);
  call.charge(call.shape(0));
  call.define(0, permuted(call.tensor(0), order), call.type(0));
}

void concat(Call& call) {
  const auto axis = static_cast<std::size_t>(call.axis(call.integer("axis", 0), call.rank(0)));
  std::vector<Tensor> tensors;
  Shape whole = call.shape(0);
  whole[axis] = 0;
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    auto others = call.shape(i);
    if (others.size() != whole.size() || call.tensor(i).dtype() != call.tensor(0).dtype())
      call.refuse("inputs of different ranks or types", "inputs alike");
    whole[axis] += std::exchange(others[axis], whole[axis]);
    tensors.push_back(call.tensor(i));
    others[axis] = whole[axis];
    if (others != whole)
      call.refuse(fmt::format("input {} of shape {}", i, to_string(call.shape(i))),
                  "extents alike but for the axis");
  }
  call.charge(whole);
  call.define(0, joined(tensors, axis), call.type(0));
}

/// A part of each axis.
Tensor cut(const Call& call, const std::vector<Range>& ranges) {
  const auto dense = strides_of(call.shape(0));
  Shape extents;
  Integers strides;
  std::int64_t offset = 0;
  bool is_empty = false;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    extents.push_back(ranges[i].count);
    is_empty = is_empty || ranges[i].count == 0;
    strides.push_back(ranges[i].count > 1 ? ranges[i].step * dense[i] : 0);
    offset += ranges[i].begin * dense[i];
  }
  call.charge(extents);
  if (is_empty) return Tensor(call.tensor(0).dtype(), extents);
  return strided(call.tensor(0), extents, strides, offset);
}

void slice_constant(Call& call) { call.define(0, cut(call, slice_ranges(call)), call.type(0)); }

void split(Call& call) {
  const auto axis = static_cast<std::size_t>(call.axis(call.integer("axis", 0), call.rank(0)));
  std::vector<Range> ranges;
  for (const auto extent : call.shape(0)) ranges.push_back({0, 1, extent, extent});
  const auto parts = split_extents(call, call.shape(0)[axis]);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    ranges[axis].begin = begin;
    ranges[axis].count = parts[i];
    call.define(i, cut(call, ranges), call.type(0));
    begin += parts[i];
  }
}

void gather(Call& call) {
  const auto axis = static_cast<std::size_t>(call.axis(call.integer("axis", 0), call.rank(0)));
  const auto indices = checked_indices(call, call.shape(0)[axis]);
  Shape result = call.shape(0);
  result.erase(result.begin() + static_cast<std::ptrdiff_t>(axis));
  result.insert(result.begin() + static_cast<std::ptrdiff_t>(axis), call.shape(1).begin(),
                call.shape(1).end());
  call.charge(result);
  call.define(0, gathered(call.tensor(0), axis, of_integers(call.shape(1), indices)), call.type(0));
}

void expand(Call& call) {
  const auto wanted = call.integers(1);
  for (const auto extent : wanted) {
    if (extent < 0) call.refuse("shape " + to_string(wanted), "extents of 0 or more");
  }
  const auto all = common_shape(call, call.shape(0), wanted);
  if (all == call.shape(0)) return call.pass(0, 0);
  call.define(0, expanded(call.tensor(0), all), call.type(0));
}

void tile(Call& call) {
  const auto repeats = call.integers(1);
  const auto& from = call.shape(0);
  if (repeats.size() != from.size())
    call.refuse(fmt::format("{} repeats", repeats.size()), fmt::format("{}", from.size()));
  // [a, b] seen as [1, a, 1, b], expanded to [r, a, s, b], seen as [r * a, s * b].
  Shape apart, grown, result;
  for (std::size_t i = 0; i < repeats.size(); ++i) {
    if (repeats[i] < 0) call.refuse("repeats " + to_string(repeats), "0 or more");
    apart.insert(apart.end(), {1, from[i]});
    grown.insert(grown.end(), {repeats[i], from[i]});
    result.push_back(checked_mul(repeats[i], from[i], call.where()));
  }
  call.charge(result);
  call.define(0, reshaped(expanded(reshaped(call.tensor(0), apart), grown), result), call.type(0));
}

/// Rows of `updates` written into a copy of the data where the last axis of the indices says.
void scatter_nd(Call& call) {
  if (call.text("reduction", "none") != "none") call.refuse("a reduction", "none");
  const auto& places = call.shape(1);
  if (places.empty() || places.back() < 0 || places.back() > call.rank(0))
    call.refuse("indices " + to_string(places), "[..., up to the rank of the data]");
  const auto depth = static_cast<std::size_t>(places.back());
  Shape updated(places.begin(), places.end() - 1);
  updated.insert(updated.end(), call.shape(0).begin() + static_cast<std::ptrdiff_t>(depth),
                 call.shape(0).end());
  if (call.shape(2) != updated || call.tensor(2).dtype() != call.tensor(0).dtype())
    call.refuse("updates " + to_string(call.shape(2)), to_string(updated) + " of the data's type");
  call.charge(call.shape(0));
  auto result = call.tensor(0).clone();
  const auto dense = strides_of(call.shape(0));
  const auto indices = call.integers(1);
  const auto row =
      static_cast<std::size_t>(product(call.shape(0), depth, call.shape(0).size())) * size_of(result.dtype());
  const auto rows = row == 0 ? 0 : call.tensor(2).byte_count() / row;
  for (std::size_t i = 0; i < rows; ++i) {
    std::int64_t at = 0;
    for (std::size_t axis = 0; axis < depth; ++axis)
      at += dense[axis] * call.axis(indices[i * depth + axis], call.shape(0)[axis]);
    const auto from = call.tensor(2).bytes().subspan(i * row, row);
    std::copy(from.begin(), from.end(),
              result.bytes().begin() + at * static_cast<std::ptrdiff_t>(size_of(result.dtype())));
  }
  call.define(0, std::move(result), call.type(0));
}

/// Zeros above or below a diagonal of the last two axes.
void trilu(Call& call) {
  const auto rank = call.shape(0).size();
  if (rank < 2) call.refuse("shape " + to_string(call.shape(0)), "two axes or more");
  const auto diagonals = call.has(1) ? call.integers(1) : Integers{0};
  if (diagonals.size() != 1) call.refuse("several diagonals", "one");
  const bool is_upper = call.integer("upper", 1) != 0;
  const auto rows = call.shape(0)[rank - 2], columns = call.shape(0)[rank - 1];
  const auto diagonal = std::clamp(diagonals[0], -rows - 1, columns + 1);
  call.charge(call.shape(0));
  auto result = call.tensor(0).clone();
  const auto width = size_of(result.dtype());
  for (std::size_t i = 0; i * width < result.byte_count(); ++i) {
    const auto place = static_cast<std::int64_t>(i);
    const auto distance = place % columns - place / columns % rows;
    if (is_upper ? distance >= diagonal : distance <= diagonal) continue;
    std::fill_n(result.bytes().begin() + static_cast<std::ptrdiff_t>(i * width), width, std::byte{0});
  }
  call.define(0, std::move(result), call.type(0));
}

}  // namespace

std::vector<FoldRule> movement_rules() {
  return {{"Concat", concat},
          {"Expand", expand},
          {"Flatten", flatten},
          {"Gather", gather},
          {"Reshape", reshape_constant},
          {"ScatterND", scatter_nd},
          {"Slice", slice_constant},
          {"Split", split},
          {"Squeeze", squeeze},
          {"Tile", tile},
          {"Transpose", transpose},
          {"Trilu", trilu},
          {"Unsqueeze", unsqueeze}};
}

}  // namespace compress::onnx
