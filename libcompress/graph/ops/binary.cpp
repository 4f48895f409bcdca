// Functions of two values, element by element; extents of 1 are repeated, shorter shapes are aligned right.
#include "libcompress/graph/ops/couple.h"
#include "libcompress/graph/ops/rules.h"

namespace compress {
namespace {

constexpr const char* kTies = "ties the axes of both operands; a repeated one is pinned";

Op binary(std::string name, std::string summary, void (*couple)(IdFlow&), const std::string& also = "") {
  return {std::move(name),
          std::move(summary),
          std::string(kTies) + also,
          {{"a", ValueKind::activation}, {"b", ValueKind::activation}},
          {},
          rules::broadcast_shape,
          rules::one_op_an_element,
          couple};
}

}  // namespace

std::vector<Op> binary_ops() {
  return {
      binary("add", "a + b", couple::sum),
      binary("sub", "a - b", couple::sum),
      binary("mul", "a * b", couple::product),
      binary("div", "a / b", couple::quotient, ", and so are divisors that would be zero"),
      binary("pow", "a to the power of b", couple::power, ", and so are bases that would be zero"),
      binary("maximum", "the larger of a and b", couple::sum),
      binary("minimum", "the smaller of a and b", couple::sum),
  };
}

}  // namespace compress
