// Functions of one number in 8 bits: 256 results, as TensorFlow Lite's reference kernels compute each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libcompress/quant/quantized_graph.h"

namespace compress {

/// sigmoid, tanh, elu, gelu, gelu_tanh: the float function of each level, rounded to the output's.
/// hard_swish: TensorFlow Lite's fixed point of 16 bits. leaky_relu: a requantization for each sign.
/// silu: sigmoid and a product, each rounded; hard_sigmoid: relu6(x + 3) and a product by 1/6, each rounded.
const std::vector<std::string_view>& table_functions();

/// The scale that TensorFlow Lite asks of a function's output; nothing where it may be any.
struct OutputScale {
  float scale;
  std::int32_t zero_point;
};
std::optional<OutputScale> table_output_scale(std::string_view function);

/// The levels of `output` for the levels -128 .. 127 of `input`. `parameter` is the slope of leaky_relu,
/// `profile` that of the network. Error of kind input for an unknown function or scales that it has no form
/// for.
std::vector<std::int8_t> table_for(const std::string& function, float parameter, const QValue& input,
                                   const QValue& output, const std::string& profile);

/// What silu and hard_sigmoid pass through, as TensorFlow Lite has them in several operators: the result of
/// the first, and for hard_sigmoid the numbers that are added and multiplied.
QValue table_middle(std::string_view function);
QValue hard_sigmoid_offset();  ///< 3 at level 127
QValue hard_sigmoid_factor();  ///< 1/6 at level 127

}  // namespace compress
