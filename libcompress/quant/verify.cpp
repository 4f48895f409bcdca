#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <set>

#include "libcompress/base/checked.h"
#include "libcompress/base/error.h"
#include "libcompress/quant/quantized_graph.h"
#include "libcompress/quant/tables.h"

namespace compress {
namespace {

/// More than this no microcontroller holds; keeps sums of sizes far from overflow.
constexpr std::int64_t kMostElements = std::int64_t{1} << 31;

/// Multipliers keep 31 bits; files may have computed theirs from float32 products of scales.
constexpr double kFactorTolerance = 1e-6;

class Verifier {
 public:
  explicit Verifier(const QuantizedGraph& graph) : graph_(graph) {}

  void run() {
    if (graph_.profile != "litert" && graph_.profile != "tflite-micro")
      fail_at("int8 network '" + graph_.name + "'", "rounding profile '" + graph_.profile + "'",
              "litert, tflite-micro");
    for (std::size_t i = 0; i < graph_.values.size(); ++i) check_value(i);
    check_ends();
    for (const auto& node : graph_.nodes) check_node(node);
    for (const auto id : graph_.outputs) {
      if (!in_range(id) || !defined_[index_of(id)] || !value(id).constant.empty())
        fail_at("int8 network '" + graph_.name + "'",
                fmt::format("output {} that no node makes", index_of(id)), "an activation");
      check_width_of_end(id);
    }
  }

 private:
  [[noreturn]] static void fail_at(std::string where, std::string found, std::string allowed,
                                   std::string remedy = "") {
    throw Error(ErrorKind::input,
                {std::move(where), std::move(found), std::move(allowed), std::move(remedy)});
  }
  [[noreturn]] void fail(std::string found, std::string allowed, std::string remedy = "") const {
    fail_at(fmt::format("int8 node '{}'", node_->name), std::move(found), std::move(allowed),
            std::move(remedy));
  }
  void expect(bool holds, const std::string& found, const std::string& allowed) const {
    if (!holds) fail(found, allowed);
  }

  bool in_range(QValueId id) const { return index_of(id) < graph_.values.size(); }
  const QValue& value(QValueId id) const { return graph_.value(id); }
  const QValue& input(std::size_t i) const { return value(node_->inputs[i]); }
  const QValue& output() const { return value(node_->output); }

  static bool is_scale(float scale) { return std::isfinite(scale) && scale > 0; }

  void check_value(std::size_t i) {
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
      fail_at(where, fmt::format("{} channel scales", v.channel_scales.size()),
              fmt::format("{}", v.shape[0]));
    for (const auto scale : v.channel_scales) {
      if (!is_scale(scale)) fail_at(where, fmt::format("channel scale {}", scale), "finite and above 0");
    }
  }

  void check_ends() {
    const auto where = "int8 network '" + graph_.name + "'";
    if (graph_.inputs.size() != 1) fail_at(where, fmt::format("{} inputs", graph_.inputs.size()), "1");
    if (graph_.outputs.empty()) fail_at(where, "no output", "1 or more");
    const auto id = graph_.inputs[0];
    if (!in_range(id) || defined_[index_of(id)])
      fail_at(where, "an input that is a constant or no value", "an activation");
    check_width_of_end(id);
    defined_[index_of(id)] = true;
  }

  void check_width_of_end(QValueId id) const {
    if (value(id).dtype != DType::int8)
      fail_at(fmt::format("int8 value '{}'", value(id).name), "16 bits at an end of the network", "8 bits",
              "give the network int8 inputs and outputs");
  }

  /// All activations of a node have one width, but for a requantize.
  void check_widths() const {
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

  void check_node(const QNode& node) {
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

  void expect_shape(const Shape& shape) const {
    expect(output().shape == shape, "output of shape " + to_string(output().shape), to_string(shape));
  }

  /// Input and output hold the same numbers.
  void expect_same_scale(const QValue& from) const {
    expect(from.scale == output().scale && from.zero_point == output().zero_point,
           fmt::format("scale {} and zero point {} for an input of {} and {}", output().scale,
                       output().zero_point, from.scale, from.zero_point),
           "the same on both sides");
  }

  void check_clamp(std::int32_t low, std::int32_t high) const {
    const auto [lowest, highest] = levels_of(output().dtype);
    expect(low >= lowest && low <= high && high <= highest, fmt::format("clamp {} .. {}", low, high),
           fmt::format("{} <= low <= high <= {}", lowest, highest));
  }

  void check_factor(const Requantization& by, double factor, const std::string& what) const {
    const bool normal = by.multiplier >= 1 << 30 && by.shift >= -31 && by.shift <= 31;
    expect(normal || (by.multiplier == 0 && by.shift == 0),
           fmt::format("{} multiplier {} with shift {}", what, by.multiplier, by.shift),
           "2^30 .. 2^31 - 1 and -31 .. 31, or 0 and 0");
    const double stated = std::ldexp(static_cast<double>(by.multiplier), by.shift - 31);
    const double tolerance = kFactorTolerance * factor + 0x1p-32;
    expect(std::abs(stated - factor) <= tolerance, fmt::format("{} multiplier for {}", what, stated),
           fmt::format("{} as the scales have it", factor));
  }

  void check_window(const Window& w, const Shape& from, const Shape& to, bool pads_below_kernel) const {
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

  void expect_image(const QValue& v) const {
    expect(v.shape.size() == 4, fmt::format("'{}' of shape {}", v.name, to_string(v.shape)),
           "[1, height, width, channels]");
  }

  /// The largest |accumulator| of every output, all prefixes of the sum included.
  template <typename Bias>
  std::vector<std::int64_t> largest_sums() const {
    const auto& x = input(0);
    const auto weights = input(1).constant.as<std::int8_t>();
    const auto bias = input(2).constant.as<Bias>();
    const auto an_output = weights.size() / bias.size();
    const auto [lowest, highest] = levels_of(x.dtype);
    const std::int64_t largest_input = std::max(highest - x.zero_point, x.zero_point - lowest);
    std::vector<std::int64_t> sums;
    for (std::size_t o = 0; o < bias.size(); ++o) {
      std::int64_t bound = std::abs(static_cast<std::int64_t>(bias[o]));
      for (std::size_t i = 0; i < an_output; ++i)
        bound += largest_input * std::abs(static_cast<int>(weights[o * an_output + i]));
      sums.push_back(bound);
    }
    return sums;
  }

  /// A sum must leave room for the left shift.
  void check_accumulators(const std::vector<Requantization>& requantization) const {
    const auto sums = largest_sums<std::int32_t>();
    for (std::size_t o = 0; o < sums.size(); ++o) {
      const int left_shift = std::max(requantization[o].shift, 0);
      if (sums[o] > (std::numeric_limits<std::int32_t>::max() >> left_shift)) {
        fail(fmt::format("an accumulator of output {} that can reach {} (shifted left by {})", o, sums[o],
                         left_shift),
             "below 2^31",
             "split the layer, or calibrate with inputs that drive it: its output scale is very small");
      }
    }
  }

  /// A sum must fit what its requantization multiplies, and the result int32.
  void check_wide_accumulators(const std::vector<Requantization>& requantization) const {
    constexpr std::int64_t kMostBias = std::int64_t{1} << 46;
    const auto bias = input(2).constant.as<std::int64_t>();
    for (std::size_t o = 0; o < bias.size(); ++o)
      expect(bias[o] > -kMostBias && bias[o] < kMostBias, fmt::format("bias {} of output {}", bias[o], o),
             "below 2^46");
    const bool once = std::holds_alternative<QLinear>(node_->op) && linear_rounds_once(graph_);
    const auto most = once ? kMostRoundedOnce : (std::int64_t{1} << 47) - 1;
    const auto sums = largest_sums<std::int64_t>();
    for (std::size_t o = 0; o < sums.size(); ++o) {
      const auto& by = requantization[o];
      const auto result = std::ldexp(static_cast<double>(sums[o]) * by.multiplier, by.shift - 31);
      if (sums[o] > most || result >= 0x1p30)
        fail(fmt::format("an accumulator of output {} that can reach {}, {} after its factor", o, sums[o],
                         result),
             fmt::format("{} at most, and below 2^30", most), "keep this layer in 8 bits");
    }
  }

  void check_weighted(const std::vector<Requantization>& requantization) const {
    const auto& weight = input(1);
    const auto& bias = input(2);
    for (const auto* constant : {&weight, &bias})
      expect(constant->zero_point == 0, fmt::format("zero point {}", constant->zero_point),
             "0 for weights and biases");
    expect(weight.dtype == DType::int8, "weights of dtype " + std::string(name_of(weight.dtype)), "int8");
    const bool wide = output().dtype == DType::int16;
    const auto bias_dtype = wide ? DType::int64 : DType::int32;
    expect(bias.dtype == bias_dtype && bias.shape == Shape{weight.shape[0]},
           fmt::format("bias {} {}", name_of(bias.dtype), to_string(bias.shape)),
           fmt::format("{} [{}]", name_of(bias_dtype), weight.shape[0]));
    expect(static_cast<std::int64_t>(requantization.size()) == weight.shape[0],
           fmt::format("{} requantizations", requantization.size()), fmt::format("{}", weight.shape[0]));
    for (std::size_t o = 0; o < requantization.size(); ++o) {
      check_factor(requantization[o], weight_factor(input(0), weight, o, output()), "its");
      const int most = wide ? 14 : 30;
      expect(requantization[o].shift <= most, fmt::format("shift {}", requantization[o].shift),
             fmt::format("at most {}", most));
    }
    if (wide)
      check_wide_accumulators(requantization);
    else
      check_accumulators(requantization);
  }

  void check(const QConv& conv) const {
    const auto& weight = input(1);
    expect_image(input(0));
    expect_image(output());
    expect_image(weight);
    const auto& from = input(0).shape;
    const auto& to = output().shape;
    expect(conv.groups >= 1 && from[3] % conv.groups == 0 && to[3] % conv.groups == 0,
           fmt::format("{} groups for {} input and {} output channels", conv.groups, from[3], to[3]),
           "a divisor of both");
    const Shape expected{to[3], conv.window.kernel[0], conv.window.kernel[1], from[3] / conv.groups};
    expect(weight.shape == expected, "weights " + to_string(weight.shape), to_string(expected));
    check_window(conv.window, from, to, false);
    check_clamp(conv.clamp_min, conv.clamp_max);
    check_weighted(conv.requantization);
  }

  void check(const QLinear& linear) const {
    const auto& weight = input(1);
    expect(weight.shape.size() == 2 && weight.shape[1] == input(0).shape.back(),
           "weights " + to_string(weight.shape), fmt::format("[out, {}]", input(0).shape.back()));
    auto shape = input(0).shape;
    expect(shape.size() >= 2, "input of shape " + to_string(shape), "2 axes or more");
    shape.back() = weight.shape[0];
    expect_shape(shape);
    check_clamp(linear.clamp_min, linear.clamp_max);
    check_weighted(linear.requantization);
  }

  void check_pool(const Window& window, std::int32_t low, std::int32_t high) const {
    expect_image(input(0));
    expect_image(output());
    expect(input(0).shape[3] == output().shape[3], "output of shape " + to_string(output().shape),
           "as many channels as the input");
    check_window(window, input(0).shape, output().shape, true);
    check_clamp(low, high);
    expect_same_scale(input(0));
  }
  void check(const QMaxPool& pool) const { check_pool(pool.window, pool.clamp_min, pool.clamp_max); }
  void check(const QAvgPool& pool) const {
    check_pool(pool.window, pool.clamp_min, pool.clamp_max);
    const auto cells = static_cast<std::int64_t>(pool.window.kernel[0]) * pool.window.kernel[1];
    const int bits = output().dtype == DType::int16 ? 15 : 23;
    expect(cells <= 1 << bits, fmt::format("a window of {} cells", cells),
           fmt::format("2^{} at most, so that its sum fits int32", bits));
  }

  /// Two operands, one of which may be a constant with one scale.
  void check_operands() const {
    const auto shape = broadcast_of(input(0).shape, input(1).shape);
    expect(!shape.empty(),
           fmt::format("shapes {} and {}", to_string(input(0).shape), to_string(input(1).shape)),
           "equal extents, or 1");
    expect_shape(shape);
    expect(input(0).constant.empty() || input(1).constant.empty(), "two constants", "an activation");
    for (const auto* operand : {&input(0), &input(1)}) {
      expect(operand->dtype == output().dtype && operand->channel_scales.empty(),
             fmt::format("'{}' {} with {} channel scales", operand->name, name_of(operand->dtype),
                         operand->channel_scales.size()),
             "one scale and the dtype of the output");
      expect(operand->dtype == DType::int8 || (operand->constant.empty() && operand->shape == shape),
             "16 bits that repeat or are a constant", "operands of 8 bits there");
    }
  }

  void check(const QMul& mul) const {
    check_operands();
    check_clamp(mul.clamp_min, mul.clamp_max);
    const double factor = static_cast<double>(input(0).scale) * static_cast<double>(input(1).scale) /
                          static_cast<double>(output().scale);
    check_factor(mul.requantization, factor, "its");
    expect(mul.requantization.shift <= 15, fmt::format("shift {}", mul.requantization.shift),
           "15 at most, for a product of 16 bits");
  }

  void check(const QMean& mean) const {
    const auto& from = input(0).shape;
    const auto rank = static_cast<std::int32_t>(from.size());
    expect(mean.first_axis >= 1 && mean.first_axis <= mean.last_axis && mean.last_axis < rank,
           fmt::format("axes {} to {}", mean.first_axis, mean.last_axis), fmt::format("1 to {}", rank - 1));
    Shape kept = from, dropped = from;
    std::fill(kept.begin() + mean.first_axis, kept.begin() + mean.last_axis + 1, 1);
    dropped.erase(dropped.begin() + mean.first_axis, dropped.begin() + mean.last_axis + 1);
    expect(output().shape == kept || output().shape == dropped,
           "output of shape " + to_string(output().shape),
           fmt::format("{} or {}", to_string(kept), to_string(dropped)));
    const auto count = extents_of(mean, from).count;
    const auto needed = mean_factor(input(0), output(), count);
    expect(
        mean.requantization.multiplier == needed.multiplier && mean.requantization.shift == needed.shift,
        fmt::format("multiplier {} with shift {}", mean.requantization.multiplier, mean.requantization.shift),
        fmt::format("{} and {}", needed.multiplier, needed.shift));
    const auto left = std::clamp(needed.shift, 0, 23);
    expect(needed.shift <= 23 && count <= std::numeric_limits<std::int32_t>::max() >> (8 + left),
           fmt::format("{} elements, shifted left by {}", count, needed.shift), "a sum that fits int32");
  }

  void check(const QPad& pad) const {
    const auto& from = input(0).shape;
    constexpr std::int32_t kMost = 1 << 20;
    expect(from.size() <= 4 && pad.begin.size() == from.size() && pad.end.size() == from.size(),
           fmt::format("{} and {} paddings for shape {}", pad.begin.size(), pad.end.size(), to_string(from)),
           "two for each of at most 4 axes");
    Shape shape;
    for (std::size_t axis = 0; axis < from.size(); ++axis) {
      for (const auto extent : {pad.begin[axis], pad.end[axis]})
        expect(extent >= 0 && extent <= (axis == 0 ? 0 : kMost),
               fmt::format("{} along axis {}", extent, axis), "0 to 2^20, 0 along the batch");
      shape.push_back(from[axis] + pad.begin[axis] + pad.end[axis]);
    }
    expect_shape(shape);
    expect_same_scale(input(0));
    expect(pad.level >= -128 && pad.level <= 127, fmt::format("level {}", pad.level), "-128 to 127");
  }

  /// Machines differ in the last bit of exp and its like, which may move a result by one.
  void check(const QTable& table) const {
    expect_shape(input(0).shape);
    const auto& functions = table_functions();
    expect(std::find(functions.begin(), functions.end(), table.function) != functions.end(),
           "function '" + table.function.substr(0, 40) + "'", fmt::format("{}", fmt::join(functions, ", ")));
    expect(std::isfinite(table.parameter) && table.parameter >= 0,
           fmt::format("parameter {}", table.parameter), "finite, 0 or more");
    if (const auto fixed = table_output_scale(table.function))
      expect(output().scale == fixed->scale && output().zero_point == fixed->zero_point,
             fmt::format("output scale {} and zero point {}", output().scale, output().zero_point),
             fmt::format("{} and {}", fixed->scale, fixed->zero_point));
    const auto needed = table_for(table.function, table.parameter, input(0), output(), graph_.profile);
    bool near = table.levels.size() == needed.size();
    for (std::size_t i = 0; near && i < needed.size(); ++i) near = std::abs(needed[i] - table.levels[i]) <= 1;
    expect(near, "levels that are not those of " + table.function, "what the scales ask for");
  }

  void check(const QAdd& add) const {
    check_operands();
    check_clamp(add.clamp_min, add.clamp_max);
    const auto needed = add_for(input(0), input(1), output());
    expect(add.left_shift == needed.left_shift, fmt::format("left shift {}", add.left_shift),
           fmt::format("{}", needed.left_shift));
    const auto real = [](const Requantization& by) {
      return std::ldexp(static_cast<double>(by.multiplier), by.shift - 31);
    };
    check_factor(add.left, real(needed.left), "left");
    check_factor(add.right, real(needed.right), "right");
    check_factor(add.output, real(needed.output), "output");
    expect(add.output.shift <= 0, fmt::format("output shift {}", add.output.shift), "at most 0");
  }

  void check(const QConcat& concat) const {
    Shape shape = input(0).shape;
    expect(concat.axis >= 1 && concat.axis < static_cast<std::int32_t>(shape.size()),
           fmt::format("axis {}", concat.axis), fmt::format("1 to {}", shape.size() - 1));
    const auto axis = static_cast<std::size_t>(concat.axis);
    shape[axis] = 0;
    for (std::size_t i = 0; i < node_->inputs.size(); ++i) {
      Shape other = input(i).shape;
      expect_same_scale(input(i));
      expect(other.size() == shape.size(), "inputs of different rank", "one rank");
      const auto extent = other[axis];
      other[axis] = shape[axis];
      expect(other == shape, fmt::format("input {} of shape {}", i, to_string(input(i).shape)),
             "the others' but for the axis");
      shape[axis] += extent;
    }
    expect_shape(shape);
  }

  void check(const QTranspose& transpose) const {
    auto sorted = transpose.order;
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::int32_t> all(input(0).shape.size());
    std::iota(all.begin(), all.end(), 0);
    expect(sorted == all && transpose.order[0] == 0,
           fmt::format("order [{}]", fmt::join(transpose.order, ", ")), "each axis once, the batch first");
    Shape shape;
    for (const auto axis : transpose.order) shape.push_back(input(0).shape[static_cast<std::size_t>(axis)]);
    expect_shape(shape);
    expect_same_scale(input(0));
  }

  void check(const QReshape&) const {
    expect(element_count(input(0).shape) == element_count(output().shape),
           fmt::format("{} to {}", to_string(input(0).shape), to_string(output().shape)), "as many elements");
    expect_same_scale(input(0));
  }

  void check(const QSoftmax& softmax) const {
    expect_shape(input(0).shape);
    expect(output().scale == 1.0f / 256 && output().zero_point == -128,
           fmt::format("output scale {} and zero point {}", output().scale, output().zero_point),
           "1/256 and -128");
    expect(output().shape.back() < 4096, fmt::format("{} classes", output().shape.back()), "4095 at most");
    const auto needed = softmax_for(input(0));
    check_factor(softmax.input,
                 std::ldexp(static_cast<double>(needed.input.multiplier), needed.input.shift - 31), "input");
    expect(softmax.diff_min == needed.diff_min, fmt::format("diff_min {}", softmax.diff_min),
           fmt::format("{}", needed.diff_min));
  }

  void check(const QRequantize& op) const {
    expect_shape(input(0).shape);
    check_clamp(op.clamp_min, op.clamp_max);
    check_factor(op.requantization, static_cast<double>(input(0).scale) / static_cast<double>(output().scale),
                 "its");
    const bool wide = input(0).dtype == DType::int16;
    expect(op.requantization.shift <= (wide ? 14 : 22), fmt::format("shift {}", op.requantization.shift),
           wide ? "14 at most, for a 16-bit input" : "22 at most, for an 8-bit input");
  }

  const QuantizedGraph& graph_;
  const QNode* node_ = nullptr;
  std::vector<bool> defined_;
  std::set<std::string, std::less<>> names_;
};

}  // namespace

void verify(const QuantizedGraph& graph) { Verifier(graph).run(); }

}  // namespace compress
