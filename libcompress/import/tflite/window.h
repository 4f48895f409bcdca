// What a window does along the two spatial axes of an image.
#pragma once

#include <cstdint>
#include <optional>

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

/// Fields that the settings of every operator with a window have.
constexpr std::uint16_t kWindowPadding = 0, kWindowStrideW = 1, kWindowStrideH = 2;

Integers stride_of(const Call& call);  ///< as it is stored

/// The window of `size` over input 0, [N, H, W, C], with the stride, the dilation (its width in field
/// `dilation`, its height behind it, if there is one) and the padding that the settings ask for. Error of
/// kind input for what is not positive, and for another padding than SAME and VALID.
Window window_of(const Call& call, Integers size, std::optional<std::uint16_t> dilation = std::nullopt);

}  // namespace compress::tflite
