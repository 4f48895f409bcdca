// Values, ends and widths, and what the families share.
#include "libcompress/quant/verify/verifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "libcompress/base/checked.h"
#include "libcompress/base/error.h"

namespace compress {
namespace {

/// More than this no microcontroller holds; keeps sums of sizes far from overflow.
constexpr std::int64_t kMostElements = std::int64_t{1} << 31;

/// Multipliers keep 31 bits; files may have computed theirs from float32 products of scales.
constexpr double kFactorTolerance = 1e-6;

bool is_scale(float scale) { return std::isfinite(scale) && scale > 0; }

}  // namespace

void QuantizedVerifier::run() {
  if (graph_.profile != "litert" && graph_.profile != "tflite-micro")
    fail_at("int8 network '" + graph_.name + "'", "rounding profile '" + graph_.profile + "'",
            "litert, tflite-micro");
  for (std::size_t i = 0; i < graph_.values.size(); ++i) check_value(i);
  check_ends();
  for (const auto& node : graph_.nodes) check_node(node);
  for (const auto id : graph_.outputs) {
    if (!in_range(id) || !defined_[index_of(id)] || !value(id).constant.empty())
      fail_at("int8 network '" + graph_.name + "'", fmt::format("output {} that no node makes", index_of(id)),
              "an activation");
    check_width_of_end(id);
  }
}

void QuantizedVerifier::fail_at(std::string where, std::string found, std::string allowed,
                                std::string remedy) {
  throw Error(ErrorKind::input, {std::move(where), std::move(found), std::move(allowed), std::move(remedy)});
}

void QuantizedVerifier::fail(std::string found, std::string allowed, std::string remedy) const {
  fail_at(fmt::format("int8 node '{}'", node_->name), std::move(found), std::move(allowed),
          std::move(remedy));
}

void QuantizedVerifier::expect(bool holds, const std::string& found, const std::string& allowed) const {
  if (!holds) fail(found, allowed);
}

void QuantizedVerifier::check_value(std::size_t i) {
  const auto& v = graph_.values[i];
  const auto where = fmt::format("int8 value '{}'", v.name);
  if (index_of(v.id) != i)
    fail_at(where, fmt::format("id {} at position {}", index_of(v.id), i), "its position");
  if (v.name.empty() || !names_.insert(v.name).second)
    fail_at(where, "a name that is empty or used twice", "unique names");
  if (v.shape.empty() || v.shape.size() > 8) fail_at(where, "shape " + to_string(v.shape), "1 to 8 axes");
  if (checked_product(v.shape, where) > kMostElements ||
      *std::min_element(v.shape.begin(), v.shape.end()) < 1)
    fail_at(where, "shape " + to_string(v.shape), "extents of 1 or more, 2^31 elements at most");
  if (!is_scale(v.scale)) fail_at(where, fmt::format("scale {}", v.scale), "finite and above 0");
  if (v.zero_point < -128 || v.zero_point > 127)
    fail_at(where, fmt::format("zero point {}", v.zero_point), "-128 to 127");
  defined_.push_back(!v.constant.empty());
  if (v.constant.empty()) {
    if (v.dtype != DType::int8 && v.dtype != DType::int16)
      fail_at(where, "dtype " + std::string(name_of(v.dtype)), "int8 or int16 for activations");
    if (v.dtype == DType::int16 && v.zero_point != 0)
      fail_at(where, fmt::format("zero point {}", v.zero_point), "0 for int16");
    if (v.shape[0] != 1) fail_at(where, "shape " + to_string(v.shape), "a batch of 1");
    if (!v.channel_scales.empty()) fail_at(where, "channel scales on an activation", "one scale");
    return;
  }
  if (v.dtype != DType::int8 && v.dtype != DType::int32 && v.dtype != DType::int64)
    fail_at(where, "dtype " + std::string(name_of(v.dtype)), "int8, int32 or int64 for constants");
  if (v.constant.dtype() != v.dtype || v.constant.shape() != v.shape)
    fail_at(where, fmt::format("data {} {}", name_of(v.constant.dtype()), to_string(v.constant.shape())),
            fmt::format("{} {}", name_of(v.dtype), to_string(v.shape)));
  if (!v.channel_scales.empty() && static_cast<std::int64_t>(v.channel_scales.size()) != v.shape[0])
    fail_at(where, fmt::format("{} channel scales", v.channel_scales.size()), fmt::format("{}", v.shape[0]));
  for (const auto scale : v.channel_scales) {
    if (!is_scale(scale)) fail_at(where, fmt::format("channel scale {}", scale), "finite and above 0");
  }
}

void QuantizedVerifier::check_ends() {
  const auto where = "int8 network '" + graph_.name + "'";
  if (graph_.inputs.size() != 1) fail_at(where, fmt::format("{} inputs", graph_.inputs.size()), "1");
  if (graph_.outputs.empty()) fail_at(where, "no output", "1 or more");
  const auto id = graph_.inputs[0];
  if (!in_range(id) || defined_[index_of(id)])
    fail_at(where, "an input that is a constant or no value", "an activation");
  check_width_of_end(id);
  defined_[index_of(id)] = true;
}

void QuantizedVerifier::check_width_of_end(QValueId id) const {
  if (value(id).dtype != DType::int8)
    fail_at(fmt::format("int8 value '{}'", value(id).name), "16 bits at an end of the network", "8 bits",
            "give the network int8 inputs and outputs");
}

void QuantizedVerifier::check_widths() const {
  for (const auto* each : {&input(0), &output()})
    expect(each->dtype == DType::int8 || has_int16_form(node_->op),
           fmt::format("'{}' of 16 bits", each->name), "8 bits for this operator");
  if (std::holds_alternative<QRequantize>(node_->op)) return;
  for (const auto id : node_->inputs)
    expect(!value(id).constant.empty() || value(id).dtype == output().dtype,
           fmt::format("'{}' {} and '{}' {}", value(id).name, name_of(value(id).dtype), output().name,
                       name_of(output().dtype)),
           "one width");
}

void QuantizedVerifier::check_node(const QNode& node) {
  node_ = &node;
  for (const auto id : node.inputs) {
    expect(in_range(id), fmt::format("input {}", index_of(id)), "a value of the network");
    expect(defined_[index_of(id)], "input '" + value(id).name + "' before a node made it",
           "nodes in execution order");
  }
  expect(in_range(node.output), fmt::format("output {}", index_of(node.output)), "a value of the network");
  expect(!defined_[index_of(node.output)], "output '" + output().name + "' that is defined already",
         "one producer");
  defined_[index_of(node.output)] = true;
  const bool weighted = std::holds_alternative<QConv>(node.op) || std::holds_alternative<QLinear>(node.op);
  const bool variadic = std::holds_alternative<QConcat>(node.op);
  const bool binary = std::holds_alternative<QAdd>(node.op) || std::holds_alternative<QMul>(node.op);
  const std::size_t arity = weighted ? 3 : binary ? 2 : 1;
  expect(variadic ? !node.inputs.empty() : node.inputs.size() == arity,
         fmt::format("{} inputs", node.inputs.size()), variadic ? "1 or more" : fmt::format("{}", arity));
  for (std::size_t i = 0; i < node.inputs.size() && !binary; ++i) {
    const bool constant = weighted && i > 0;
    expect(input(i).constant.empty() != constant, fmt::format("input '{}'", input(i).name),
           constant ? "a constant" : "an activation");
  }
  check_widths();
  std::visit([&](const auto& op) { check(op); }, node.op);
}

void QuantizedVerifier::expect_shape(const Shape& shape) const {
  expect(output().shape == shape, "output of shape " + to_string(output().shape), to_string(shape));
}

void QuantizedVerifier::expect_same_scale(const QValue& from) const {
  expect(from.scale == output().scale && from.zero_point == output().zero_point,
         fmt::format("scale {} and zero point {} for an input of {} and {}", output().scale,
                     output().zero_point, from.scale, from.zero_point),
         "the same on both sides");
}

void QuantizedVerifier::check_clamp(std::int32_t low, std::int32_t high) const {
  const auto [lowest, highest] = levels_of(output().dtype);
  expect(low >= lowest && low <= high && high <= highest, fmt::format("clamp {} .. {}", low, high),
         fmt::format("{} <= low <= high <= {}", lowest, highest));
}

void QuantizedVerifier::check_factor(const Requantization& by, double factor, const std::string& what) const {
  const bool normal = by.multiplier >= 1 << 30 && by.shift >= -31 && by.shift <= 31;
  expect(normal || (by.multiplier == 0 && by.shift == 0),
         fmt::format("{} multiplier {} with shift {}", what, by.multiplier, by.shift),
         "2^30 .. 2^31 - 1 and -31 .. 31, or 0 and 0");
  const double stated = std::ldexp(static_cast<double>(by.multiplier), by.shift - 31);
  const double tolerance = kFactorTolerance * factor + 0x1p-32;
  expect(std::abs(stated - factor) <= tolerance, fmt::format("{} multiplier for {}", what, stated),
         fmt::format("{} as the scales have it", factor));
}

void QuantizedVerifier::check_window(const Window& w, const Shape& from, const Shape& to,
                                     bool pads_below_kernel) const {
  for (std::size_t i = 0; i < 2; ++i) {
    constexpr std::int32_t kMost = 1 << 20;
    const auto within = [&](std::int32_t x, std::int32_t low) { return x >= low && x <= kMost; };
    expect(within(w.kernel[i], 1) && within(w.stride[i], 1) && within(w.dilation[i], 1) &&
               within(w.pad_begin[i], 0) && within(w.pad_end[i], 0),
           "a window setting out of range", "kernel, stride, dilation 1 to 2^20, padding 0 to 2^20");
    const auto span = (static_cast<std::int64_t>(w.kernel[i]) - 1) * w.dilation[i] + 1;
    const auto padded = from[i + 1] + w.pad_begin[i] + w.pad_end[i];
    expect(!pads_below_kernel || (w.pad_begin[i] < span && w.pad_end[i] < span),
           "a padding as large as the window", "smaller padding");
    expect(span <= padded, fmt::format("a window of {} over {} elements", span, padded),
           "a window that fits");
    const auto extent = (padded - span) / w.stride[i] + 1;
    expect(to[i + 1] == extent, fmt::format("output of shape {}", to_string(to)),
           fmt::format("extent {}", extent));
  }
}

void QuantizedVerifier::expect_image(const QValue& v) const {
  expect(v.shape.size() == 4, fmt::format("'{}' of shape {}", v.name, to_string(v.shape)),
         "[1, height, width, channels]");
}

void verify(const QuantizedGraph& graph) { QuantizedVerifier(graph).run(); }

}  // namespace compress
