#include <fmt/format.h>

#include <algorithm>

#include "libcompress/graph/ops/couple.h"
#include "libcompress/graph/ops/rules.h"

namespace compress {
namespace {

using Integers = std::vector<std::int64_t>;

Shape reduced_shape(const OpCall& call) {
  const auto& input = call.input(0);
  const auto& axes = call.attributes.integers("axes");
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] < 0 || axes[i] >= static_cast<std::int64_t>(input.size()) ||
        (i > 0 && axes[i] <= axes[i - 1]))
      rules::bad_call(call, "axes " + to_string(axes),
                      fmt::format("ascending axes of a value of rank {}", input.size()));
  }
  Shape output;
  for (std::size_t axis = 0; axis < input.size(); ++axis) {
    const bool gone = std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(axis));
    if (!gone) output.push_back(input[axis]);
    if (gone && call.attributes.boolean("keep")) output.push_back(1);
  }
  return output;
}

Cost one_op_an_input_element(const OpCall& call, const Shape&) { return {0, element_count(call.input(0))}; }

/// What zeros do to a result: where they do nothing, an index that is zero can go.
enum class Zeros { count, do_nothing };

Op reduction(std::string name, std::string summary, Zeros zeros) {
  const bool can_shrink = zeros == Zeros::do_nothing;
  return {std::move(name),
          std::move(summary),
          can_shrink ? "pins the axes it reduces unless zero where removed; the others pass"
                     : "pins the axes it reduces; the others pass",
          {{"input", ValueKind::activation}},
          {{"axes", Integers{}, true, "the axes that are reduced, ascending"},
           {"keep", false, false, "whether they stay, with an extent of 1"}},
          reduced_shape,
          one_op_an_input_element,
          can_shrink ? couple::linear_reduction : couple::full_reduction};
}

}  // namespace

std::vector<Op> reduction_ops() {
  return {
      reduction("reduce_mean", "mean over axes", Zeros::count),
      reduction("reduce_sum", "sum over axes", Zeros::do_nothing),
      reduction("reduce_max", "largest element over axes", Zeros::count),
      reduction("reduce_min", "least element over axes", Zeros::count),
      reduction("reduce_prod", "product over axes", Zeros::count),
      reduction("reduce_l1", "sum of absolute values over axes", Zeros::do_nothing),
      reduction("reduce_l2", "root of the sum of squares over axes", Zeros::do_nothing),
  };
}

}  // namespace compress
