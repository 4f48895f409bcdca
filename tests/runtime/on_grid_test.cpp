#include "libcompress/runtime/on_grid.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

namespace compress {
namespace {

at::Tensor numbers(std::vector<float> values) { return at::tensor(values); }

TEST(Grid, rounds_to_levels_and_clips_outside_them) {
  const Grid grid{{0.5f}, -126};
  const auto found = on_grid(numbers({-2, 0, 0.3f, 0.6f, 1000}), grid);
  EXPECT_TRUE(found.equal(numbers({-1, 0, 0.5f, 0.5f, 126.5f})));
}

TEST(Grid, lets_gradients_through_but_not_from_outside) {
  auto values = numbers({0.3f, 1000}).set_requires_grad(true);
  on_grid(values, {{0.5f}, -126}).sum().backward();
  EXPECT_TRUE(values.grad().equal(numbers({1, 0})));
}

TEST(Grid, of_weights_holds_the_largest_of_each_channel) {
  const auto weights = numbers({1, -2.54f, 0.1f, 0.2f}).reshape({2, 2});
  const auto grid = weight_grid(weights, false);
  EXPECT_FLOAT_EQ(grid.scales[0], 0.02f);
  EXPECT_FLOAT_EQ(grid.scales[1], 0.2f / 127);
  EXPECT_TRUE(on_grid(weights, grid).allclose(weights, 0, 0.011));
  EXPECT_EQ(weight_grid(weights, true).scales.size(), 1U);
}

}  // namespace
}  // namespace compress
