// The operators of ONNX that can be read, one row each, one file a family.
#pragma once

#include <string_view>
#include <vector>

#include "libcompress/import/onnx/call.h"

namespace compress::onnx {

/// Makes nodes of ours from the call and defines its outputs. Error of kind input, with the reason, for what
/// it cannot express.
using Translate = void (*)(Call&);

struct Operator {
  std::string_view name;
  Translate translate;
};

/// nullptr if there is none of that name. Only the standard domain has operators.
const Operator* find_operator(const NodeRecord& node);
/// Sorted by name.
const std::vector<Operator>& all_operators();

std::vector<Operator> convolution_operators();  ///< Conv, ConvTranspose, Gemm, MatMul
std::vector<Operator> attention_operators();    ///< Attention
std::vector<Operator> norm_operators();         ///< BatchNormalization, LayerNormalization, ...
std::vector<Operator> pool_operators();         ///< MaxPool, AveragePool, GlobalAveragePool, ...
std::vector<Operator> elementwise_operators();  ///< activations, arithmetic, softmax
std::vector<Operator> movement_operators();     ///< Reshape, Transpose, Concat, Slice, Pad, ...
std::vector<Operator> reduction_operators();    ///< ReduceMean, ...
std::vector<Operator> resize_operators();       ///< Resize, Upsample
std::vector<Operator> constant_operators();     ///< Constant, Shape, Range, ...: what must be a constant

/// Computes the outputs of a node whose inputs are all constants; false if this use of the operator has no
/// rule.
bool fold(Call& call);
/// Whether the operator has such a rule.
bool is_foldable(const NodeRecord& node);
/// Names of the operators that have one.
std::vector<std::string_view> foldable_operators();

}  // namespace compress::onnx
