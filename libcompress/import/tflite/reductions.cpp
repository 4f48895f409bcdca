#include <algorithm>

#include "libcompress/import/tensor_math.h"
#include "libcompress/import/tflite/operators.h"

namespace compress::tflite {
namespace {

constexpr std::uint16_t kKeepsAxes = 0;

/// Where the axes of the tensor that stay are in the smaller value.
Integers axes_left(const View& view, const Integers& reduced) {
  Integers left;
  for (std::size_t i = 0; i < view.axes.size(); ++i) {
    if (std::binary_search(reduced.begin(), reduced.end(), static_cast<std::int64_t>(i))) continue;
    const auto before = std::count_if(reduced.begin(), reduced.end(), [&](auto axis) {
      return view.axes[static_cast<std::size_t>(axis)] < view.axes[i];
    });
    left.push_back(view.axes[i] - before);
  }
  return left;
}

template <const char* op>
void reduction(const Call& call) {
  const auto view = call.view(0);
  const auto axes = call.axes(1, call.rank(0));
  const bool keep = call.options().boolean(kKeepsAxes);
  Integers own;
  for (const auto axis : axes) own.push_back(view.axes[static_cast<std::size_t>(axis)]);
  std::sort(own.begin(), own.end());
  if (own.empty()) return call.define(0, view);
  const auto result = call.emit(op, {view.value}, {{"axes", own}, {"keep", keep}});
  call.define(0, View{result, keep ? view.axes : axes_left(view, axes)});
}

double product(double a, double b) { return a * b; }

void fold_product(const Call& call) {
  const auto axes = call.axes(1, call.rank(0));
  if (call.tensor(0).dtype() == DType::boolean) call.refuse("a boolean", "numbers");
  std::vector<bool> is_reduced(call.rank(0));
  for (const auto axis : axes) is_reduced[static_cast<std::size_t>(axis)] = true;
  const auto kept = tensor_math::reduce(call.tensor(0), is_reduced, 1, product);
  Shape shape;
  for (std::size_t i = 0; i < kept.shape().size(); ++i) {
    if (call.options().boolean(kKeepsAxes) || !is_reduced[i]) shape.push_back(kept.shape()[i]);
  }
  call.define(0, tensor_math::reshaped(kept, shape));
}

constexpr char kMean[] = "reduce_mean", kSum[] = "reduce_sum", kMax[] = "reduce_max", kMin[] = "reduce_min",
               kProd[] = "reduce_prod";

}  // namespace

std::vector<Operator> reduction_operators() {
  return {{"MEAN", reduction<kMean>},
          {"SUM", reduction<kSum>},
          {"REDUCE_MAX", reduction<kMax>},
          {"REDUCE_MIN", reduction<kMin>},
          {"REDUCE_PROD", reduction<kProd>, fold_product}};
}

}  // namespace compress::tflite
