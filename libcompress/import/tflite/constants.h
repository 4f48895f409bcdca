// Stored tensors of a TensorFlow Lite file made into tensors of ours.
#pragma once

#include <string>

#include "libcompress/graph/tensor.h"
#include "libcompress/import/tflite/schema.h"

namespace compress::tflite {

/// float32, float16, float64.
bool is_float(ElementType type);

/// A float, or an integer of 8 or 16 bits with a scale.
bool stands_for_floats(const TensorRecord& record);

/// As float32, int64 or boolean, in the file's order; integers that stand for floats by a scale become those.
/// Error of kind input if the type is another or the data does not have the size that the shape asks for;
/// checked before anything is allocated.
Tensor decode(const TensorRecord& record, const std::string& where);

}  // namespace compress::tflite
