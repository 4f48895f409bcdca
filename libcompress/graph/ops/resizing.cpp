#include <algorithm>

#include "libcompress/graph/ops/couple.h"
#include "libcompress/graph/ops/rules.h"

namespace compress {
namespace {

using Integers = std::vector<std::int64_t>;

/// [N, C, spatial...] -> [N, C, size...]
Shape resized_shape(const OpCall& call) {
  rules::expect_rank_at_least(call, 0, 3);
  const auto& input = call.input(0);
  const auto& size = rules::expect_integers(call, "size", input.size() - 2, 1);
  rules::expect_choice(call, "mode", {"nearest", "linear", "cubic"});
  rules::expect_choice(call, "coordinates",
                       {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"});
  rules::expect_choice(call, "rounding", {"floor", "ceil", "round_prefer_floor", "round_prefer_ceil"});
  Shape output{input[0], input[1]};
  output.insert(output.end(), size.begin(), size.end());
  return output;
}

/// A read and a weight for each source of an element along each axis.
Cost resized_cost(const OpCall& call, const Shape& output) {
  const auto& mode = call.attributes.text("mode");
  const std::int64_t sources = mode == "nearest" ? 0 : mode == "linear" ? 2 : 4;
  return {0, element_count(output) * sources * static_cast<std::int64_t>(output.size() - 2)};
}

}  // namespace

std::vector<Op> resizing_ops() {
  Op resize{"resize",
            "another extent of the spatial axes by interpolation",
            "channels pass; rows and columns are spatial",
            {{"input", ValueKind::activation}},
            {{"size", Integers{}, true, "extents of the spatial axes afterwards"},
             {"mode", std::string("nearest"), false, "nearest, linear or cubic"},
             {"coordinates", std::string("half_pixel"), false,
              "where an output element lies in the input: half_pixel, asymmetric, align_corners, "
              "pytorch_half_pixel"},
             {"rounding", std::string("floor"), false,
              "of nearest: floor, ceil, round_prefer_floor, round_prefer_ceil"},
             {"cubic_a", -0.75, false, "coefficient of the cubic"}},
            resized_shape,
            resized_cost,
            couple::global_pool};
  return {resize};
}

}  // namespace compress
