#include <algorithm>
#include <limits>

#include "libcompress/export/onnx/lowering.h"

namespace compress::onnx_export {
namespace {

/// A window slid over the spatial axes. Runtimes disagree about ONNX' ceil_mode, so what it adds at the end
/// is written as padding.
struct Window {
  Integers kernel, stride, dilation;
  Integers declared;  ///< padding, all begins and then all ends
  Integers padding;   ///< the same with ends that hold the last window
};

Window window_of(const Lowering& at, const Integers& dilation) {
  const auto& attributes = at.attributes();
  Window window{
      attributes.integers("kernel"), attributes.integers("stride"), {}, attributes.integers("padding"), {}};
  const std::size_t spatial = window.kernel.size();
  window.stride = along_all(attributes.integers("stride"), spatial, 1);
  window.dilation = along_all(dilation, spatial, 1);
  window.declared = along_all(attributes.integers("padding"), 2 * spatial, 0);
  window.padding = window.declared;
  for (std::size_t i = 0; i < spatial; ++i) {
    const auto reach =
        (at.output_shape()[i + 2] - 1) * window.stride[i] + (window.kernel[i] - 1) * window.dilation[i] + 1;
    const auto missing = reach - at.input_shape(0)[i + 2] - window.padding[i];
    window.padding[spatial + i] = std::max(window.padding[spatial + i], missing);
  }
  return window;
}

AttributeList pool_attributes(const Window& window, const Integers& padding) {
  return {{"dilations", window.dilation},
          {"kernel_shape", window.kernel},
          {"pads", padding},
          {"strides", window.stride}};
}

/// `input` with `padding` of the spatial axes filled with `value`.
std::string padded(Lowering& at, const Integers& padding, float value) {
  const std::size_t spatial = padding.size() / 2;
  Integers all(2 * (spatial + 2), 0);
  std::copy_n(padding.begin(), spatial, all.begin() + 2);
  std::copy_n(padding.begin() + static_cast<std::ptrdiff_t>(spatial), spatial,
              all.begin() + static_cast<std::ptrdiff_t>(spatial + 4));
  auto info = at.input_info(0);
  for (std::size_t i = 0; i < spatial; ++i) info.shape[i + 2] += padding[i] + padding[spatial + i];
  return at.add("Pad", "padded", info, {at.input(0), at.integers("pads", all), at.scalar("fill", value)});
}

/// Runtimes refuse a padding as large as the window, which a dilated one may have.
bool pads_fit(const Window& window) {
  for (std::size_t i = 0; i < window.padding.size(); ++i) {
    if (window.padding[i] >= window.kernel[i % window.kernel.size()]) return false;
  }
  return true;
}

void lower_max_pool(Lowering& at) {
  const Window window = window_of(at, at.attributes().integers("dilation"));
  if (pads_fit(window)) return at.finish("MaxPool", {at.input(0)}, pool_attributes(window, window.padding));
  const auto input = padded(at, window.padding, std::numeric_limits<float>::lowest());
  at.finish("MaxPool", {input}, pool_attributes(window, Integers(window.padding.size(), 0)));
}

/// Counted padding is zeros that a node adds; what ceil adds behind it never counts.
void lower_avg_pool(Lowering& at) {
  const Window window = window_of(at, {});
  auto padding = window.padding;
  std::string input = at.input(0);
  if (at.attributes().boolean("count_padding")) {
    input = padded(at, window.declared, 0);
    for (std::size_t i = 0; i < padding.size(); ++i) padding[i] -= window.declared[i];
  }
  auto attributes = pool_attributes(window, padding);
  attributes.emplace_back("count_include_pad", std::int64_t{0});
  at.finish("AveragePool", {input}, attributes);
}

LoweringRow global_pool(std::string op, std::string onnx_op) {
  return {std::move(op), [onnx_op = std::move(onnx_op)](Lowering& at) { at.finish(onnx_op, at.inputs()); }};
}

/// Where each output cell of an adaptive pool reads: [first, last).
struct Bin {
  std::int64_t first = 0, last = 0;
};

std::vector<Bin> bins_of(std::int64_t extent, std::int64_t size) {
  std::vector<Bin> bins;
  for (std::int64_t i = 0; i < size; ++i)
    bins.push_back({i * extent / size, ((i + 1) * extent + size - 1) / size});
  return bins;
}

/// Bins of one size are a plain pool.
bool pools_evenly(const Lowering& at) {
  const auto& input = at.input_shape(0);
  const auto& output = at.output_shape();
  for (std::size_t i = 2; i < input.size(); ++i) {
    if (input[i] % output[i] != 0) return false;
  }
  return true;
}

void lower_even_pool(Lowering& at, const std::string& onnx_op) {
  Integers kernel;
  for (std::size_t i = 2; i < at.output_shape().size(); ++i)
    kernel.push_back(at.input_shape(0)[i] / at.output_shape()[i]);
  at.finish(onnx_op, {at.input(0)}, {{"kernel_shape", kernel}, {"strides", kernel}});
}

/// The input with `extent` along `axis`, pooled along the axes before it.
ValueInfo pooled_before(const Lowering& at, std::size_t axis, std::int64_t extent) {
  auto info = at.input_info(0);
  std::copy_n(at.output_shape().begin(), axis, info.shape.begin());
  info.shape[axis] = extent;
  return info;
}

/// Each bin cut out and reduced to one element, and these laid side by side.
std::string pooled_along(Lowering& at, const std::string& input, std::size_t axis,
                         const std::string& reduce) {
  const auto along = static_cast<std::int64_t>(axis);
  const auto axes = at.integers("axis", {along});
  std::vector<std::string> elements;
  for (const auto& bin : bins_of(at.input_shape(0)[axis], at.output_shape()[axis])) {
    const auto first = at.integers("first", {bin.first}), last = at.integers("last", {bin.last});
    const auto cut =
        at.add("Slice", "bin", pooled_before(at, axis, bin.last - bin.first), {input, first, last, axes});
    elements.push_back(
        at.add(reduce, "element", pooled_before(at, axis, 1), {cut, axes}, {{"keepdims", std::int64_t{1}}}));
  }
  const auto pooled = pooled_before(at, axis, at.output_shape()[axis]);
  return at.add("Concat", "pooled", pooled, elements, {{"axis", along}});
}

/// A box's mean is the mean along each axis in turn, and so is its largest element.
void lower_adaptive(Lowering& at, const std::string& pool, const std::string& reduce) {
  if (pools_evenly(at)) return lower_even_pool(at, pool);
  std::string value = at.input(0);
  for (std::size_t axis = 2; axis < at.input_shape(0).size(); ++axis) {
    if (at.input_shape(0)[axis] != at.output_shape()[axis]) value = pooled_along(at, value, axis, reduce);
  }
  at.finish("Identity", {value});
}

LoweringRow reduction(std::string op, std::string onnx_op) {
  return {std::move(op), [onnx_op = std::move(onnx_op)](Lowering& at) {
            const auto axes = at.integers("axes", at.attributes().integers("axes"));
            at.finish(onnx_op, {at.input(0), axes},
                      {{"keepdims", std::int64_t{at.attributes().boolean("keep")}}});
          }};
}

}  // namespace

std::vector<LoweringRow> pooling_lowerings() {
  return {{"max_pool", lower_max_pool},
          {"avg_pool", lower_avg_pool},
          global_pool("global_avg_pool", "GlobalAveragePool"),
          global_pool("global_max_pool", "GlobalMaxPool"),
          {"adaptive_avg_pool", [](Lowering& at) { lower_adaptive(at, "AveragePool", "ReduceMean"); }},
          {"adaptive_max_pool", [](Lowering& at) { lower_adaptive(at, "MaxPool", "ReduceMax"); }},
          reduction("reduce_mean", "ReduceMean"),
          reduction("reduce_sum", "ReduceSum"),
          reduction("reduce_max", "ReduceMax"),
          reduction("reduce_min", "ReduceMin"),
          reduction("reduce_prod", "ReduceProd"),
          reduction("reduce_l1", "ReduceL1"),
          reduction("reduce_l2", "ReduceL2")};
}

}  // namespace compress::onnx_export
