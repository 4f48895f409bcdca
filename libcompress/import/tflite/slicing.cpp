// Operators that take elements of an axis.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "libcompress/base/checked.h"
#include "libcompress/import/tensor_math.h"
#include "libcompress/import/tflite/operators.h"

namespace compress::tflite {
namespace {

/// `count` indices of one axis.
struct Range {
  std::int64_t begin = 0;
  std::int64_t count = 0;
  std::int64_t step = 1;  ///< may be negative
};

/// The indices of `range` along `axis` of the view.
View taken(const Call& call, const View& view, std::size_t axis, const Range& range,
           const std::string& part) {
  const auto extent = call.shape_of(view)[axis];
  const auto own_axis = view.axes[axis];
  if (range.count < 1) call.refuse(fmt::format("nothing left of axis {}", axis), "at least one index");
  if (range.begin == 0 && range.count == extent && range.step == 1) return view;
  if (range.step > 0) {
    const auto end = range.begin + (range.count - 1) * range.step + 1;
    return {call.emit("slice", {view.value},
                      {{"axis", own_axis}, {"begin", range.begin}, {"end", end}, {"step", range.step}}, part),
            view.axes};
  }
  Integers indices;
  call.charge({range.count});
  for (std::int64_t i = 0; i < range.count; ++i) indices.push_back(range.begin + i * range.step);
  return {call.emit("gather", {view.value}, {{"axis", own_axis}, {"indices", indices}}, part), view.axes};
}

/// What is taken of each axis, and the shape that the result then gets.
struct Plan {
  std::vector<Range> ranges;
  Shape shape;
};

void carry_out(const Call& call, const Plan& plan) {
  auto view = call.view(0);
  for (std::size_t i = 0; i < plan.ranges.size(); ++i)
    view = taken(call, view, i, plan.ranges[i], fmt::format("axis{}", i));
  call.define(0, call.reshaped(view, plan.shape));
}

void fold_plan(const Call& call, const Plan& plan) {
  const auto& tensor = call.tensor(0);
  auto strides = tensor_math::strides_of(tensor.shape());
  std::int64_t offset = 0;
  Shape shape;
  for (std::size_t i = 0; i < plan.ranges.size(); ++i) {
    const auto& range = plan.ranges[i];
    if (range.count > 0) offset += range.begin * strides[i];
    strides[i] *= range.step;
    shape.push_back(std::max<std::int64_t>(range.count, 0));
  }
  call.charge(shape);
  const auto part = tensor_math::strided(tensor, shape, strides, offset);
  call.define(0, tensor_math::reshaped(part, plan.shape));
}

Plan plan_slice(const Call& call) {
  const auto shape = call.shape(0);
  const auto begin = call.integers(1), size = call.integers(2);
  if (begin.size() != shape.size() || size.size() != shape.size())
    call.refuse(fmt::format("{} begins and {} sizes", begin.size(), size.size()),
                fmt::format("{}", shape.size()));
  Plan plan;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool is_inside = begin[i] >= 0 && begin[i] <= shape[i];
    const auto count = size[i] == -1 && is_inside ? shape[i] - begin[i] : size[i];
    if (!is_inside || count < 0 || count > shape[i] - begin[i])
      call.refuse(fmt::format("{} from {} of {} elements", size[i], begin[i], shape[i]), "what is there");
    plan.ranges.push_back({begin[i], count, 1});
    plan.shape.push_back(count);
  }
  return plan;
}

void slice(const Call& call) { carry_out(call, plan_slice(call)); }
void fold_slice(const Call& call) { fold_plan(call, plan_slice(call)); }

// ---- STRIDED_SLICE, with the masks of numpy's a[1:, ..., None, 0]

struct StridedSettings {
  Integers begin, end, step;
  std::int64_t begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_mask;
  bool end_is_offset;
};

bool has_bit(std::int64_t mask, std::size_t i) { return i < 32 && ((mask >> i) & 1) != 0; }

StridedSettings strided_settings(const Call& call) {
  const auto& options = call.options();
  StridedSettings settings{call.integers(1),   call.integers(2),   call.integers(3),
                           options.integer(0), options.integer(1), options.integer(2),
                           options.integer(3), options.integer(4), options.boolean(5)};
  const auto count = settings.begin.size();
  if (count > 16 || settings.end.size() != count || settings.step.size() != count)
    call.refuse(
        fmt::format("{} begins, {} ends and {} strides", count, settings.end.size(), settings.step.size()),
        "as many of each, up to 16");
  for (const auto& list : {settings.begin, settings.end, settings.step}) {
    for (const auto number : list) {
      if (std::abs(number) > (std::int64_t{1} << 32))
        call.refuse(fmt::format("index {}", number), "up to 2^32");
    }
  }
  return settings;
}

Range one_index(const Call& call, std::int64_t index, std::int64_t extent) {
  const auto at = index < 0 ? index + extent : index;
  if (at < 0 || at >= extent)
    call.refuse(fmt::format("index {} of {}", index, extent), "an index that is there");
  return {at, 1, 1};
}

Range strided_range(const Call& call, const StridedSettings& settings, std::size_t i, std::int64_t extent) {
  const auto step = settings.step[i];
  if (step == 0) call.refuse("a stride of 0", "another number");
  const auto first = step > 0 ? 0 : extent - 1, last = step > 0 ? extent : std::int64_t{-1};
  const auto low = step > 0 ? 0 : std::int64_t{-1}, high = step > 0 ? extent : extent - 1;
  const auto place = [&](std::int64_t index) {
    return std::clamp(index < 0 ? index + extent : index, low, high);
  };
  const auto begin = has_bit(settings.begin_mask, i) ? first : place(settings.begin[i]);
  const auto given_end = settings.end_is_offset ? settings.begin[i] + settings.end[i] : settings.end[i];
  const auto end = has_bit(settings.end_mask, i) ? last : place(given_end);
  const auto count = step > 0 ? (end - begin + step - 1) / step : (begin - end - step - 1) / -step;
  return {begin, std::max<std::int64_t>(count, 0), step};
}

Plan plan_strided(const Call& call) {
  const auto settings = strided_settings(call);
  const auto shape = call.shape(0);
  std::size_t new_axes = 0;
  bool has_ellipsis = false;
  for (std::size_t i = 0; i < settings.begin.size(); ++i) {
    if (has_bit(settings.ellipsis_mask, i))
      has_ellipsis = true;
    else if (has_bit(settings.new_axis_mask, i))
      ++new_axes;
  }
  const auto named = settings.begin.size() - new_axes - (has_ellipsis ? 1 : 0);
  if (named > shape.size())
    call.refuse(fmt::format("indices of {} axes", named), fmt::format("{}", shape.size()));
  Plan plan;
  const auto take_whole = [&] {
    const auto extent = shape[plan.ranges.size()];
    plan.ranges.push_back({0, extent, 1});
    plan.shape.push_back(extent);
  };
  bool after_ellipsis = false;
  for (std::size_t i = 0; i < settings.begin.size(); ++i) {
    if (has_bit(settings.ellipsis_mask, i)) {
      if (after_ellipsis) call.refuse("two ellipses", "one");
      after_ellipsis = true;
      for (auto skipped = shape.size() - named; skipped > 0; --skipped) take_whole();
    } else if (has_bit(settings.new_axis_mask, i)) {
      plan.shape.push_back(1);
    } else {
      const auto extent = shape[plan.ranges.size()];
      const bool shrinks = has_bit(settings.shrink_mask, i);
      const auto range =
          shrinks ? one_index(call, settings.begin[i], extent) : strided_range(call, settings, i, extent);
      plan.ranges.push_back(range);
      if (!shrinks) plan.shape.push_back(range.count);
    }
  }
  while (plan.ranges.size() < shape.size()) take_whole();
  return plan;
}

void strided_slice(const Call& call) { carry_out(call, plan_strided(call)); }
void fold_strided_slice(const Call& call) { fold_plan(call, plan_strided(call)); }

// ---- GATHER, SPLIT, UNPACK, REVERSE

Shape without_axis(Shape shape, std::size_t axis) {
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  return shape;
}

/// `shape` with the extents `inner` in place of `axis`.
Shape spread(const Shape& shape, std::size_t axis, const Shape& inner) {
  auto result = without_axis(shape, axis);
  result.insert(result.begin() + static_cast<std::ptrdiff_t>(axis), inner.begin(), inner.end());
  return result;
}

std::size_t gather_axis(const Call& call) {
  constexpr std::uint16_t kAxis = 0, kBatchAxes = 1;
  if (call.options().integer(kBatchAxes) != 0) call.refuse("batch axes", "none");
  return call.axis(call.options().integer(kAxis), call.rank(0));
}

void gather(const Call& call) {
  const auto axis = gather_axis(call);
  const auto indices = call.integers(1);
  const auto view = call.view(0);
  const auto result = call.emit("gather", {view.value}, {{"axis", view.axes[axis]}, {"indices", indices}},
                                call.rank(1) == 1 ? "" : "taken");
  call.define(0, call.reshaped({result, view.axes}, spread(call.shape(0), axis, call.shape(1))));
}

void fold_gather(const Call& call) {
  const auto axis = gather_axis(call);
  const auto shape = call.shape(0);
  for (const auto index : call.integers(1)) {
    if (index < 0 || index >= shape[axis])
      call.refuse(fmt::format("index {} of {}", index, shape[axis]), "one that is there");
  }
  call.charge(spread(shape, axis, call.shape(1)));
  call.define(0, tensor_math::gathered(call.tensor(0), axis, call.tensor(1)));
}

/// Parts of these extents, one after the other; the operator's name has ".partN" behind it.
void split_into(const Call& call, std::size_t input, std::size_t axis, const Integers& extents) {
  if (extents.size() != call.output_count())
    call.refuse(fmt::format("{} parts", extents.size()),
                fmt::format("{}, one for each output", call.output_count()));
  const auto view = call.view(input);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const auto rest = call.shape_of(view)[axis] - begin;
    if (extents[i] > rest)
      call.refuse(fmt::format("a part of {}", extents[i]), fmt::format("{}, what is left", rest));
    call.define(i, taken(call, view, axis, {begin, extents[i], 1}, fmt::format("part{}", i)));
    begin += extents[i];
  }
}

void split(const Call& call) {
  const auto axis = call.axis(call.integer(0), call.rank(1));
  const auto extent = call.shape(1)[axis], parts = static_cast<std::int64_t>(call.output_count());
  if (extent % parts != 0) call.refuse(fmt::format("{} parts of {}", parts, extent), "a divisor");
  split_into(call, 1, axis, Integers(static_cast<std::size_t>(parts), extent / parts));
}

void split_v(const Call& call) {
  const auto axis = call.axis(call.integer(2), call.rank(0));
  auto extents = call.integers(1);
  const auto open = std::find(extents.begin(), extents.end(), -1);
  if (open != extents.end()) {
    std::int64_t known = 1;
    for (const auto extent : extents) known = checked_add(known, extent, call.where());
    *open = call.shape(0)[axis] - known;
  }
  split_into(call, 0, axis, extents);
}

void unpack(const Call& call) {
  constexpr std::uint16_t kAxis = 1;
  const auto view = call.view(0);
  const auto shape = call.shape(0);
  const auto axis = call.axis(call.options().integer(kAxis), shape.size());
  if (shape[axis] != static_cast<std::int64_t>(call.output_count()))
    call.refuse(fmt::format("{} outputs", call.output_count()), fmt::format("{}", shape[axis]));
  for (std::size_t i = 0; i < call.output_count(); ++i) {
    const auto part =
        taken(call, view, axis, {static_cast<std::int64_t>(i), 1, 1}, fmt::format("slice{}", i));
    call.define(i, call.reshaped(part, without_axis(shape, axis), fmt::format("part{}", i)));
  }
}

void reverse(const Call& call) {
  auto view = call.view(0);
  for (const auto axis : call.axes(1, call.rank(0))) {
    const auto extent = call.shape(0)[static_cast<std::size_t>(axis)];
    view = taken(call, view, static_cast<std::size_t>(axis), {extent - 1, extent, -1},
                 fmt::format("axis{}", axis));
  }
  call.define(0, view);
}

}  // namespace

std::vector<Operator> slicing_operators() {
  return {{"GATHER", gather, fold_gather},
          {"REVERSE_V2", reverse},
          {"SLICE", slice, fold_slice},
          {"SPLIT", split},
          {"SPLIT_V", split_v},
          {"STRIDED_SLICE", strided_slice, fold_strided_slice},
          {"UNPACK", unpack}};
}

}  // namespace compress::tflite
