// The operators of TensorFlow Lite that can be read, one row each, one file a family.
#pragma once

#include <string_view>
#include <vector>

#include "libcompress/import/tflite/call.h"

namespace compress::tflite {

/// Defines the outputs of the call. Error of kind input, with the reason, for what it cannot express.
using Translate = void (*)(const Call&);

struct Operator {
  std::string_view name;     ///< as in the schema
  Translate translate;       ///< makes nodes of ours; nullptr if it can only be folded
  Translate fold = nullptr;  ///< makes constants where all inputs are; nullptr if it has to be translated
};

/// nullptr if there is none of that name.
const Operator* find_operator(std::string_view name);
/// Sorted by name.
const std::vector<Operator>& all_operators();

std::vector<Operator> convolution_operators();  ///< CONV_2D, FULLY_CONNECTED, BATCH_MATMUL, ...
std::vector<Operator> pool_operators();         ///< AVERAGE_POOL_2D, MAX_POOL_2D
std::vector<Operator> elementwise_operators();  ///< activations, arithmetic, softmax
std::vector<Operator> movement_operators();     ///< RESHAPE, TRANSPOSE, PAD, CONCATENATION, ...
std::vector<Operator> slicing_operators();      ///< SLICE, STRIDED_SLICE, GATHER, SPLIT, UNPACK, ...
std::vector<Operator> reduction_operators();    ///< MEAN, SUM, ...
std::vector<Operator> image_operators();        ///< RESIZE_BILINEAR, DEPTH_TO_SPACE, ...
std::vector<Operator> constant_operators();  ///< DEQUANTIZE, CAST, SHAPE, RANGE, FILL: what must be constant

}  // namespace compress::tflite
