#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "libcompress/import/onnx/compose.h"
#include "libcompress/import/onnx/operators.h"

namespace compress::onnx {
namespace {

Window pool_window(const Call& call) {
  if (!call.has_attribute("kernel_shape")) call.refuse("no kernel_shape", "one");
  return window_of(call, call.shape(0), call.integers("kernel_shape"));
}

Attributes attributes_of(const Call& call, const Window& window) {
  return {{"kernel", window.kernel},
          {"stride", window.stride},
          {"padding", window.padding()},
          {"ceil", call.integer("ceil_mode", 0) != 0}};
}

void max_pool(Call& call) {
  const auto window = pool_window(call);
  auto attributes = attributes_of(call, window);
  attributes.set("dilation", window.dilation);
  call.define(0, call.emit("max_pool", {call.value(0)}, std::move(attributes)));
}

/// What a window of ones sums up: a depthwise convolution.
ValueId window_sum(Call& call, ValueId value, const Window& window, const std::string& part) {
  Shape shape{call.shape_of(value)[1], 1};
  shape.insert(shape.end(), window.kernel.begin(), window.kernel.end());
  call.charge(shape);
  return call.emit("conv", {value, call.literal("ones", full(shape, 1.0f))},
                   {{"stride", window.stride},
                    {"padding", window.padding()},
                    {"dilation", window.dilation},
                    {"groups", shape[0]}},
                   part);
}

/// With ceil_mode, the padding that makes the last window whole, if that window begins inside the input or
/// its first padding.
Window made_whole(const Call& call, Window window) {
  if (call.integer("ceil_mode", 0) == 0) return window;
  for (std::size_t i = 0; i < window.kernel.size(); ++i) {
    const auto extent = call.shape(0)[i + 2];
    const auto covered = (window.kernel[i] - 1) * window.dilation[i] + 1;
    const auto room = extent + window.begin[i] + window.end[i] - covered;
    if (room < 0) continue;
    const auto missing = (window.stride[i] - room % window.stride[i]) % window.stride[i];
    const auto last = room + missing;  // where the last window begins
    if (missing > 0 && last < extent + window.begin[i]) window.end[i] += missing;
  }
  return window;
}

/// Whether counting a window of `kernel` elements at `positions` places is a matter of moments.
bool is_quick(std::int64_t kernel, std::int64_t positions) {
  return kernel <= (std::int64_t{1} << 12) && positions <= (std::int64_t{1} << 12);
}

/// For each axis and output position, how many of the window's elements lie inside begin .. end.
std::vector<Integers> counts_inside(const Call& call, const Window& window, const Window& counted,
                                    const Shape& output) {
  std::vector<Integers> counts(window.kernel.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto first = -counted.begin[i], last = call.shape(0)[i + 2] + counted.end[i];
    for (std::int64_t position = 0; position < output[i + 2]; ++position) {
      std::int64_t inside = 0;
      for (std::int64_t k = 0; k < window.kernel[i]; ++k) {
        const auto at = position * window.stride[i] - window.begin[i] + k * window.dilation[i];
        inside += at >= first && at < last;
      }
      counts[i].push_back(std::max<std::int64_t>(inside, 1));
    }
  }
  return counts;
}

/// 1 / the number of elements that count, for each output position: [1, 1, spatial...]
Tensor reciprocal_counts(const Call& call, const std::vector<Integers>& counts, const Shape& output) {
  Shape shape = output;
  shape[0] = shape[1] = 1;
  call.charge(shape);
  Tensor result = full(shape, 1.0f);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    Shape along(shape.size(), 1);
    along[i + 2] = shape[i + 2];
    const auto axis = convert(of_integers(along, counts[i]), DType::float32);
    result = combine_floats(result, axis, [](float x, float count) { return x / count; });
  }
  return result;
}

/// A pool with dilation: sums, divided by how many elements were summed.
void dilated_average(Call& call, const Window& window, bool count_padding) {
  const auto whole = made_whole(call, window);
  const auto sum = window_sum(call, call.value(0), whole, "sum");
  auto counted = window;  // what ceil_mode adds is never counted
  if (!count_padding) {
    counted.begin.assign(counted.begin.size(), 0);
    counted.end = counted.begin;
  }
  for (std::size_t i = 0; i < window.kernel.size(); ++i) {
    if (is_quick(window.kernel[i], call.shape_of(sum)[i + 2])) continue;
    call.refuse("a window over too many elements", "fewer");
  }
  const auto counts = counts_inside(call, whole, counted, call.shape_of(sum));
  const auto factor = call.literal("counts", reciprocal_counts(call, counts, call.shape_of(sum)));
  call.define(0, call.emit("mul", {sum, factor}));
}

void average_pool(Call& call) {
  const auto window = pool_window(call);
  const bool count_padding = call.integer("count_include_pad", 0) != 0;
  const bool dilated = std::any_of(window.dilation.begin(), window.dilation.end(),
                                   [](std::int64_t step) { return step != 1; });
  if (dilated) return dilated_average(call, window, count_padding);
  auto attributes = attributes_of(call, window);
  attributes.set("count_padding", count_padding);
  call.define(0, call.emit("avg_pool", {call.value(0)}, std::move(attributes)));
}

/// (sum |x|^p)^(1/p)
void lp_pool(Call& call) {
  const auto window = made_whole(call, pool_window(call));
  const auto p = static_cast<double>(call.integer("p", 2));
  const auto size = call.emit("abs", {call.value(0)}, {}, "size");
  const auto power = with_number(call, "pow", size, p, "power");
  call.define(0, with_number(call, "pow", window_sum(call, power, window, "sum"), 1.0 / p, ""));
}

template <const char* op>
void global_pool(Call& call) {
  call.define(0, call.emit(op, {call.value(0)}));
}

constexpr char kAverage[] = "global_avg_pool";
constexpr char kMax[] = "global_max_pool";

void global_lp_pool(Call& call) {
  const auto p = call.integer("p", 2);
  if (p != 1 && p != 2) call.refuse(fmt::format("p = {}", p), "1, 2");
  Integers axes;
  for (std::int64_t i = 2; i < call.rank(0); ++i) axes.push_back(i);
  call.define(
      0, call.emit(p == 1 ? "reduce_l1" : "reduce_l2", {call.value(0)}, {{"axes", axes}, {"keep", true}}));
}

}  // namespace

std::vector<Operator> pool_operators() {
  return {{"AveragePool", average_pool},
          {"GlobalAveragePool", global_pool<kAverage>},
          {"GlobalLpPool", global_lp_pool},
          {"GlobalMaxPool", global_pool<kMax>},
          {"LpPool", lp_pool},
          {"MaxPool", max_pool}};
}

}  // namespace compress::onnx
