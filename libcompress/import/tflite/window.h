// What a window does along the two spatial axes of an image.
#pragma once

#include "libcompress/import/tflite/call.h"

namespace compress::tflite {

/// Height first.
struct Window {
  Integers kernel;
  Integers stride;
  Integers dilation = {1, 1};
  Integers begin = {0, 0};  ///< padding before
  Integers end = {0, 0};    ///< padding after

  /// All begins, then all ends.
  Integers padding() const { return {begin[0], begin[1], end[0], end[1]}; }
};

/// Checks the window over input 0, [N, H, W, C], and fills in the padding that the schema's number `padding`
/// (0 SAME, 1 VALID) asks for.
Window window_of(const Call& call, Window window, std::int64_t padding);

}  // namespace compress::tflite
