// Steps that several operators are composed of.
#pragma once

#include <string>
#include <vector>

#include "libcompress/import/onnx/call.h"

namespace compress::onnx {

/// What a window does along each spatial axis.
struct Window {
  Integers kernel;
  Integers stride;
  Integers dilation;
  Integers begin;  ///< padding before
  Integers end;    ///< padding after

  /// All begins, then all ends.
  Integers padding() const;
};

/// From the attributes kernel_shape, strides, dilations, pads and auto_pad of a node over `input`. Negative
/// paddings are refused.
Window window_of(const Call& call, const Shape& input, const Integers& kernel);

/// Of the node's own name if `part` is empty; the value itself if there is nothing to do.
ValueId reshape(Call& call, ValueId value, const Shape& shape, const std::string& part);
ValueId permute(Call& call, ValueId value, const Integers& order, const std::string& part);
/// Indices begin .. end - 1 of one axis.
ValueId slice(Call& call, ValueId value, std::int64_t axis, std::int64_t begin, std::int64_t end,
              std::int64_t step, const std::string& part);
/// Pads every axis; negative paddings cut.
ValueId pad(Call& call, ValueId value, const Integers& padding, const std::string& mode, double number,
            const std::string& part);
/// "add", "mul", ... with a literal number.
ValueId with_number(Call& call, const std::string& op, ValueId value, double number, const std::string& part);

/// 0 .. n - 1.
Integers iota(std::int64_t n);
/// The product of extents begin .. end - 1.
std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end);

}  // namespace compress::onnx
