#include "libcompress/runtime/on_grid.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/fake_quantize_per_channel_affine.h>
#include <ATen/ops/fake_quantize_per_tensor_affine.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cfloat>
#include <utility>

namespace compress {

Grid weight_grid(const at::Tensor& weights, bool one_scale) {
  const c10::NoGradGuard without_gradients;
  const auto largest =
      at::amax(at::abs(weights.detach()).flatten(1), 1).div(127).clamp_min(FLT_MIN).contiguous();
  Grid grid;
  grid.scales.assign(largest.const_data_ptr<float>(), largest.const_data_ptr<float>() + largest.numel());
  grid.low = -127;
  if (one_scale) grid.scales = {*std::max_element(grid.scales.begin(), grid.scales.end())};
  return grid;
}

at::Tensor on_grid(const at::Tensor& values, const Grid& grid) {
  if (grid.scales.size() == 1)
    return at::fake_quantize_per_tensor_affine(values, static_cast<double>(grid.scales[0]), grid.zero_point,
                                               grid.low, grid.high);
  const auto count = static_cast<std::int64_t>(grid.scales.size());
  const auto zeros = at::full({count}, grid.zero_point, at::kInt);
  return at::fake_quantize_per_channel_affine(values, at::tensor(grid.scales), zeros, 0, grid.low, grid.high);
}

Pass pass_on(const Grids& grids) {
  Pass pass;
  pass.read = [&grids](const Node& node, std::size_t operand, at::Tensor tensor) {
    const auto grid = grids.find(node.inputs[operand]);
    return grid == grids.end() ? std::move(tensor) : on_grid(tensor, grid->second);
  };
  return pass;
}

}  // namespace compress
