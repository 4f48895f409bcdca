// Operators of images: resizing, and blocks of pixels that become channels.
#include <fmt/format.h>

#include "libcompress/import/tflite/operators.h"

namespace compress::tflite {
namespace {

ValueId image(const Call& call) {
  if (call.rank(0) != 4) call.refuse("input of shape " + to_string(call.shape(0)), "[N, H, W, C]");
  return call.ordered(0, channels_first(4));
}

void resize(const Call& call, const std::string& mode, bool aligns, bool uses_centers) {
  const auto size = call.integers(1);
  if (size.size() != 2) call.refuse("a size " + to_string(size), "[height, width]");
  for (const auto extent : size) positive(call, extent, "an extent of");
  const std::string coordinates = aligns ? "align_corners" : uses_centers ? "half_pixel" : "asymmetric";
  // Halves go up: with centers floor((x + 1/2) * scale) is (x + 1/2) * scale - 1/2 rounded that way.
  const std::string rounding = aligns || uses_centers ? "round_prefer_ceil" : "floor";
  const auto result =
      call.emit("resize", {image(call)},
                {{"size", size}, {"mode", mode}, {"coordinates", coordinates}, {"rounding", rounding}});
  call.define(0, View{result, channels_first(4)});
}

void resize_bilinear(const Call& call) {
  constexpr std::uint16_t kAligns = 2, kUsesCenters = 3;
  resize(call, "linear", call.options().boolean(kAligns), call.options().boolean(kUsesCenters));
}

void resize_nearest(const Call& call) {
  constexpr std::uint16_t kAligns = 0, kUsesCenters = 1;
  resize(call, "nearest", call.options().boolean(kAligns), call.options().boolean(kUsesCenters));
}

template <const char* op>
void blocks(const Call& call) {
  constexpr std::uint16_t kBlock = 0;
  const auto block = positive(call, call.options().integer(kBlock), "a block of");
  if (block > 4096) call.refuse(fmt::format("a block of {}", block), "up to 4096");
  const auto result = call.emit(op, {image(call)}, {{"block", block}, {"order", std::string("dcr")}});
  call.define(0, View{result, channels_first(4)});
}

constexpr char kDepthToSpace[] = "depth_to_space", kSpaceToDepth[] = "space_to_depth";

}  // namespace

std::vector<Operator> image_operators() {
  return {{"RESIZE_BILINEAR", resize_bilinear},
          {"RESIZE_NEAREST_NEIGHBOR", resize_nearest},
          {"DEPTH_TO_SPACE", blocks<kDepthToSpace>},
          {"SPACE_TO_DEPTH", blocks<kSpaceToDepth>}};
}

}  // namespace compress::tflite
