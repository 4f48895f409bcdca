// The 8-bit network: a graph of its own kind, in which types, scales, zero points and multipliers are part of
// every value and node. Integer arithmetic only; what a node computes is defined to the bit by
// quant/reference.h.
//
// Activations that need it may have 16 bits (TensorFlow Lite's 16x8: zero point 0, weights of 8 bits, biases
// and accumulators of 64). A node reads and makes one width; only requantize changes it. Inputs and outputs
// of the network have 8.
//
// Layout is NHWC ([1, height, width, channels], as TensorFlow Lite has it); conv weights are [out, kh, kw, in
// / groups].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "libcompress/graph/tensor.h"

namespace compress {

enum class QValueId : std::int32_t {};
constexpr std::size_t index_of(QValueId id) { return static_cast<std::size_t>(id); }

/// real = scale * (quantized - zero_point), scale > 0. Scales are float32 as in TensorFlow Lite files.
struct QValue {
  QValueId id{};
  std::string name{};
  DType dtype = DType::int8;  ///< of activations int8 or int16, of weights int8, of biases int32, or int64
                              ///< behind an input of 16 bits
  Shape shape{};              ///< batch of 1
  float scale = 1.0f;
  std::int32_t zero_point = 0;
  std::vector<float>
      channel_scales{};  ///< of weights: one per output channel (axis 0), zero points 0; of biases:
                         ///< input scale * weight scale; empty where `scale` holds for all
  Tensor constant{};     ///< of weights, biases and constant operands; empty for activations
};

/// A real factor m as multiplier * 2^(shift - 31), multiplier in 2^30 .. 2^31 - 1 (or 0), shift in -31 .. 31.
/// A node says by which of requantize() and requantize_once() it is applied.
struct Requantization {
  std::int32_t multiplier = 0;
  std::int32_t shift = 0;
};

/// Window geometry along [height, width].
struct Window {
  std::int32_t kernel[2] = {1, 1};
  std::int32_t stride[2] = {1, 1};
  std::int32_t pad_begin[2] = {0, 0};
  std::int32_t pad_end[2] = {0, 0};
  std::int32_t dilation[2] = {1, 1};
};

/// inputs: x, weights [O, kh, kw, I / groups] int8, bias [O]. One requantization per output channel, of
/// 64-bit sums by requantize_wide().
struct QConv {
  Window window;
  std::int32_t groups = 1;
  std::vector<Requantization> requantization;
  std::int32_t clamp_min = -128, clamp_max = 127;  ///< fused activation
};

/// inputs: x [.., I], weights [O, I] int8, bias [O]. The profile `litert` requantizes with
/// requantize_once(), `tflite-micro` as QConv does: see linear_rounds_once().
struct QLinear {
  std::vector<Requantization> requantization;  ///< one per output
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// Input and output share scale and zero point. Padding never wins.
struct QMaxPool {
  Window window;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// Mean with rounding half away from zero over the cells inside the image; same scale and zero point on both
/// sides.
struct QAvgPool {
  Window window;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// x + y with 20 bits of headroom, 15 for 16 bits, as TensorFlow Lite's reference kernel has it. An operand
/// of 8 bits may be a constant, and one of extent 1 along an axis repeats there; all have one rank.
struct QAdd {
  Requantization left, right, output;
  bool subtract = false;  ///< x - y
  std::int32_t left_shift = 20;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// x * y, of operands as QAdd has them.
struct QMul {
  Requantization requantization;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// Of the axes first_axis .. last_axis, neighbors: the sum times a factor that holds the division by their
/// count, as TensorFlow Lite's reference kernel has it. The output keeps them with an extent of 1, or not.
struct QMean {
  std::int32_t first_axis = 1, last_axis = 2;
  Requantization requantization;
};

/// Elements of one level around x, at most four axes; same scale and zero point on both sides.
struct QPad {
  std::vector<std::int32_t> begin, end;  ///< before and behind each axis, 0 for the batch
  std::int32_t level = 0;
};

/// Every step-th element of each axis from `begin` on, at most four axes, as many as the output has; same
/// scale and zero point on both sides. A negative step goes backwards.
struct QSlice {
  std::vector<std::int32_t> begin, step;  ///< 0 and 1 for the batch
};

/// Rows and columns repeated or left out, as TensorFlow Lite's RESIZE_NEAREST_NEIGHBOR has it: see
/// sources_of(). Same scale and zero point on both sides.
struct QResize {
  bool align_corners = false, half_pixel = false;  ///< not both
};

/// A function of each element by itself: one of table_functions() (tables.h).
struct QTable {
  std::string function;
  float parameter = 0;              ///< the slope of leaky_relu
  std::vector<std::int8_t> levels;  ///< of the output, for -128 .. 127
};

/// Inputs are requantized to the output's scale before they get here, so this copies.
struct QConcat {
  std::int32_t axis = 3;  ///< NHWC
};

struct QTranspose {
  std::vector<std::int32_t> order;  ///< for each output axis the input axis it comes from
};

/// The same bytes under another shape.
struct QReshape {};

/// Over the last axis, in fixed point as TensorFlow Lite's reference kernel; output scale 1/256, zero point
/// -128.
struct QSoftmax {
  Requantization input;  ///< input scale as a Q5.26 factor
  std::int32_t diff_min = 0;
};

/// Another scale and zero point, or a clamp (a relu that could not be fused).
struct QRequantize {
  Requantization requantization;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

using QOp = std::variant<QConv, QLinear, QMaxPool, QAvgPool, QAdd, QConcat, QTranspose, QReshape, QSoftmax,
                         QRequantize, QMul, QMean, QPad, QTable, QSlice, QResize>;

std::string_view name_of(const QOp& op);  ///< "conv", "linear", ...

/// Whether an operator has a form for 16-bit activations.
template <typename Op, typename... Others>
constexpr bool is_one_of = (std::is_same_v<Op, Others> || ...);
template <typename Op>
constexpr bool takes_int16 = is_one_of<Op, QConv, QLinear, QMaxPool, QAvgPool, QAdd, QConcat, QTranspose,
                                       QReshape, QRequantize, QPad, QSlice, QResize>;
bool has_int16_form(const QOp& op);

struct QNode {
  std::string name;  ///< of the float node it comes from
  QOp op;
  std::vector<QValueId> inputs;
  QValueId output{};
};

/// A verified 8-bit network with one input and one output or more. Nodes are in execution order.
struct QuantizedGraph {
  std::string name;
  std::string profile = "litert";  ///< rounding profile
  std::vector<QValue> values;
  std::vector<QNode> nodes;
  std::vector<QValueId> inputs;
  std::vector<QValueId> outputs;

  const QValue& value(QValueId id) const { return values[index_of(id)]; }
};

/// Error of kind input naming node and value for: an undefined or doubly defined value, a wrong dtype or
/// shape, a scale that is not finite and positive, a bias or accumulator that could overflow int32, a
/// multiplier that does not follow from the scales.
void verify(const QuantizedGraph& graph);

/// One line a node, for people.
std::string to_text(const QuantizedGraph& graph);

/// Multiply-accumulates for one example, and bytes of all constants.
std::int64_t macs_of(const QuantizedGraph& graph);
std::int64_t macs_of(const QuantizedGraph& graph, const QNode& node);
std::int64_t constant_bytes_of(const QuantizedGraph& graph);

/// The shared arithmetic of reference executor and generated C.

/// The nearest Requantization to `factor`, as TensorFlow Lite rounds it: half away from zero; below 2^-32 it
/// is 0. Error of kind input if `factor` is negative, not finite, or 2^31 or more.
Requantization to_requantization(double factor);

/// value * factor with gemmlowp's double rounding: value << max(shift, 0), doubled high half of the product
/// with the multiplier rounded to nearest (ties upward), then a right shift by max(-shift, 0) rounded to
/// nearest (ties away from zero). verify() proves that the left shift of an accumulator does not overflow;
/// here it saturates.
std::int32_t requantize(std::int32_t value, const Requantization& by);

/// value * factor rounded once, ties upward: (value * multiplier + 2^(30 - shift)) >> (31 - shift) in 64
/// bits; shift at most 30, |value| at most kMostRoundedOnce.
std::int32_t requantize_once(std::int64_t value, const Requantization& by);
constexpr std::int64_t kMostRoundedOnce = (std::int64_t{1} << 32) - (std::int64_t{1} << 30);

/// value * factor as TensorFlow Lite has it for sums of 64 bits: of the multiplier only the upper half
/// counts, rounded; (value * half + 2^(14 - shift)) >> (15 - shift). shift at most 14, |value| below 2^47.
std::int32_t requantize_wide(std::int64_t value, const Requantization& by);

/// Whether QLinear rounds once in the profile `graph` names.
bool linear_rounds_once(const QuantizedGraph& graph);

/// The factor from a weight's accumulator to its output: input scale * weight scale / output scale, in double
/// precision throughout. (LiteRT once multiplied the first two in float32 where the weights share one scale;
/// that of today does not, nor does TensorFlow Lite Micro.)
double weight_factor(const QValue& input, const QValue& weight, std::size_t channel, const QValue& output);

/// The level of `output` at the bound `real` of a fused activation, rounded in float32 as TensorFlow Lite
/// does and limited to its dtype; infinities give the ends of that.
std::int32_t clamp_level(const QValue& output, float real);

/// The ends of int8 or int16.
struct LevelRange {
  std::int32_t lowest, highest;
  bool operator==(const LevelRange&) const = default;
};
LevelRange levels_of(DType dtype);

/// QAdd's three requantizations as they follow from the scales.
QAdd add_for(const QValue& left, const QValue& right, const QValue& output);
/// QMul's as it follows from the scales: their product is one of floats in the profile `litert`.
QMul mul_for(const QValue& left, const QValue& right, const QValue& output, const std::string& profile);
/// QMean's for axes of `count` elements. The division makes its multiplier smaller than that of others.
Requantization mean_factor(const QValue& input, const QValue& output, std::int64_t count);

/// The shape of two operands of one rank of which extents of 1 repeat; empty if they do not fit.
Shape broadcast_of(const Shape& left, const Shape& right);
/// Steps through an operand along each axis of `output`, 0 where it repeats.
std::vector<std::int64_t> broadcast_strides(const Shape& operand, const Shape& output);
/// Of what QMean reduces: elements before the axes, along them and behind them.
struct MeanExtents {
  std::int64_t outer, count, inner;
};
MeanExtents extents_of(const QMean& mean, const Shape& input);
/// For each of `outputs` places along an axis of `inputs` elements the element that QResize takes, in float32
/// as TensorFlow Lite computes it.
std::vector<std::int64_t> sources_of(const QResize& resize, std::int64_t inputs, std::int64_t outputs);
/// QSoftmax's parameters as they follow from its input's scale.
QSoftmax softmax_for(const QValue& input);

}  // namespace compress
