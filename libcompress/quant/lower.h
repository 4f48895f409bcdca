// From a folded float32 network and the ranges of its activations to the 8-bit network.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "libcompress/graph/graph.h"
#include "libcompress/quant/observer.h"
#include "libcompress/quant/quantized_graph.h"

namespace compress {

/// Of every input and activation, by value name.
using ValueRanges = std::map<std::string, Range, std::less<>>;
using NodeNames = std::set<std::string, std::less<>>;

/// Per value: activations asymmetric int8 so that zero is exact, weights symmetric -127 .. 127 with one scale
/// an output channel, biases int32 of scale input * weight. Relus and clips join the conv, linear, add or
/// batch norm before them as a clamp. Pools, transposes and reshapes keep their input's scale, the inputs of
/// a concat get the output's, a softmax gives 1/256, as sigmoids do. Softmax's input and everything else
/// takes its scale from `ranges`.
///
/// Layout: an image [N, C, H, W] becomes [1, H, W, C], a sequence [N, C, L] becomes [1, 1, L, C]; permutes
/// and flattens keep PyTorch's element order, by a transpose or by reordering the weights of the linear
/// behind. A value of the result that has the name of a float value holds its numbers (after the clamp that
/// joined it).
///
/// Weights of the nodes in `one_scale` (by name) share the scale of their largest output channel.
///
/// `folded` is what fold() returns. The result is verified. Error of kind input naming the node and a remedy
/// for an operator without an 8-bit form, or an activation whose range is missing, empty or one number.
QuantizedGraph lower(const Model& folded, const ValueRanges& ranges, const std::string& profile = "litert",
                     const NodeNames& one_scale = {});

/// The scale and zero point of a range that was widened to hold zero: scale = (high - low) / 255 in float32,
/// zero point = -128 - low / scale rounded to nearest. `low` < `high` after widening.
struct Scale {
  float scale = 1;
  std::int32_t zero_point = 0;
};
Scale scale_for(Range range);

/// float32 in PyTorch's order ([C, H, W], [C, L] or flat, of one example) to flat NHWC int8:
/// clamp(round(x / scale) + zero_point), x / scale in float32 and halves rounded away from zero, as
/// TensorFlow Lite's QUANTIZE does. Error of kind usage for another size, of kind input for a number that is
/// not finite.
std::vector<std::int8_t> quantize_input(const QuantizedGraph& graph, std::span<const float> input);

/// Flat NHWC int8 of `value` to float32 in PyTorch's order: scale * (q - zero_point), exact to float32.
std::vector<float> dequantize(const QValue& value, std::span<const std::int8_t> data);
/// The same of `data` in the value's dtype, int8 or int16.
std::vector<float> dequantize(const QValue& value, const Tensor& data);

/// dequantize() of the first output.
std::vector<float> dequantize_output(const QuantizedGraph& graph, std::span<const std::int8_t> output);

}  // namespace compress
