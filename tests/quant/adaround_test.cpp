#include "libcompress/quant/adaround.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "libcompress/runtime/on_grid.h"

namespace compress {
namespace {

at::Tensor random(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  return at::randn({rows, columns}, at::make_generator<at::CPUGeneratorImpl>(seed), at::kDouble);
}

/// Inputs [K, positions] of which any two are alike, and what is summed of them.
struct Fed {
  at::Tensor inputs;
  LayerMoments moments;
};
Fed alike(std::int64_t width) {
  const auto own = random(width, 1000, 1);
  const auto shared = random(1, 1000, 2);
  const auto inputs = own.mul(0.3).add(shared);
  const auto sums = at::matmul(inputs, inputs.t());
  return {inputs, {sums, sums}};
}

double error(const at::Tensor& weights, const at::Tensor& rounded, const at::Tensor& inputs) {
  return at::matmul(rounded.to(at::kDouble).sub(weights), inputs).square().sum().item<double>();
}

TEST(AdaRound, changes_the_output_less_than_rounding_to_the_nearest) {
  const auto weights = random(6, 40, 3);
  const auto fed = alike(40);
  const auto grid = weight_grid(weights.to(at::kFloat), false);
  const auto nearest = on_grid(weights.to(at::kFloat), grid);
  const auto found = round_adaptively(weights.to(at::kFloat), grid, fed.moments);
  EXPECT_LT(error(weights, found, fed.inputs), 0.7 * error(weights, nearest, fed.inputs));
}

TEST(AdaRound, gives_levels_of_the_grid_next_to_each_weight) {
  const auto weights = random(4, 20, 4).to(at::kFloat);
  const auto grid = weight_grid(weights, true);
  const auto found = round_adaptively(weights, grid, alike(20).moments);
  EXPECT_TRUE(at::allclose(on_grid(found, grid), found));
  EXPECT_LE(found.sub(weights).abs().max().item<float>(), 1.001f * grid.scales[0]);
}

TEST(AdaRound, rounds_to_the_nearest_where_inputs_have_nothing_to_do_with_each_other) {
  const auto weights = random(4, 20, 5).to(at::kFloat);
  const auto grid = weight_grid(weights, false);
  const auto independent = at::eye(20, at::kDouble);
  EXPECT_TRUE(
      at::allclose(round_adaptively(weights, grid, {independent, independent}), on_grid(weights, grid)));
}

}  // namespace
}  // namespace compress
