// Nodes whose inputs are all constants, computed when the file is read. One file a family.
#pragma once

#include <string_view>
#include <vector>

#include "libcompress/import/onnx/operators.h"

namespace compress::onnx {

/// Defines the outputs of a call whose inputs are constants. Error of kind input for what it does not fit.
struct FoldRule {
  std::string_view name;  ///< of the operator
  Translate apply;
};

std::vector<FoldRule> generation_rules();  ///< ConstantOfShape, Range
std::vector<FoldRule> arithmetic_rules();  ///< Add, Sqrt, Equal, Where, Cast, ...
std::vector<FoldRule> movement_rules();    ///< Reshape, Concat, Gather, ...
std::vector<FoldRule> reduction_rules();   ///< ReduceProd, ...

/// Whether input `i` holds floats; an Error for booleans.
bool is_float_at(const Call& call, std::size_t i);
/// What the shapes broadcast to, charged; an Error if they do not.
Shape common_shape(const Call& call, const Shape& a, const Shape& b);

}  // namespace compress::onnx
