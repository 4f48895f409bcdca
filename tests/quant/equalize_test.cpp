#include "libcompress/quant/equalize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "libcompress/quant/fold.h"
#include "tests/quant/networks.h"

namespace compress {
namespace {

using test::NetworkBuilder;
using test::random_inputs;

/// A convolution, a depthwise one, a pointwise one, a mean and a linear layer.
Model depthwise() {
  return NetworkBuilder({1, 3, 8, 8})
      .conv("first", 6, {3, 3}, {1, 1})
      .node("relu", "relu1")
      .conv("depth", 6, {3, 3}, {1, 1}, 6)
      .node("relu", "relu2")
      .conv("point", 8, {1, 1}, {1, 1})
      .node("relu", "relu3")
      .node("global_avg_pool", "mean")
      .node("flatten", "flat")
      .linear("fc", 5)
      .finish();
}

float largest(const Model& model, const std::string& name, std::size_t first, std::size_t count,
              std::size_t stride) {
  const auto values = model.weights.at(name).as<float>();
  float found = 0;
  for (std::size_t i = 0; i < count; ++i) found = std::max(found, std::abs(values[first + i * stride]));
  return found;
}

TEST(Equalize, pairs_layers_that_only_positive_factors_part) {
  std::vector<std::string> pairs;
  for (const auto& pair : equalizable_pairs(depthwise().graph))
    pairs.push_back(pair.first + "-" + pair.second);
  EXPECT_THAT(pairs, testing::ElementsAre("first-depth", "depth-point", "point-fc"));
}

TEST(Equalize, leaves_alone_what_somebody_else_reads_or_a_sigmoid_bends) {
  NetworkBuilder shared({1, 3, 8, 8});
  shared.conv("first", 6, {3, 3}, {1, 1});
  const auto read_twice = shared.last();
  shared.conv("second", 6, {3, 3}, {1, 1}).join("add", "sum", {read_twice, shared.last()});
  EXPECT_TRUE(equalizable_pairs(shared.finish().graph).empty());
  const auto bent = NetworkBuilder({1, 3, 8, 8})
                        .conv("first", 6, {3, 3}, {1, 1})
                        .node("sigmoid", "bend")
                        .conv("second", 6, {3, 3}, {1, 1})
                        .finish();
  EXPECT_TRUE(equalizable_pairs(bent.graph).empty());
}

TEST(Equalize, gives_both_sides_of_a_channel_the_same_range_and_keeps_the_function) {
  const auto model = depthwise();
  const auto even = equalize(model);
  for (std::size_t c = 0; c < 6; ++c) {
    EXPECT_NEAR(largest(even, "first.weight", c * 27, 27, 1) / largest(even, "depth.weight", c * 9, 9, 1), 1,
                0.01);
    EXPECT_NEAR(largest(even, "depth.weight", c * 9, 9, 1) / largest(even, "point.weight", c, 8, 6), 1, 0.01);
  }
  const auto inputs = random_inputs(model, 4);
  const auto expected = run(model, inputs, 4);
  const auto found = run(even, inputs, 4);
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 1e-4 * (1 + std::abs(expected[i])));
  EXPECT_NE(largest(model, "first.weight", 0, 27, 1), largest(even, "first.weight", 0, 27, 1)) << "a copy";
}

TEST(Equalize, follows_flattened_blocks_into_a_linear_layer) {
  const auto model = NetworkBuilder({1, 3, 4, 4})
                         .conv("conv", 4, {3, 3}, {1, 1})
                         .node("relu", "relu")
                         .node("flatten", "flat")
                         .linear("fc", 5)
                         .finish();
  const auto even = equalize(model);
  float entering = 0;
  for (std::size_t row = 0; row < 5; ++row)
    entering = std::max(entering, largest(even, "fc.weight", row * 64 + 16, 16, 1));
  EXPECT_NEAR(largest(even, "conv.weight", 27, 27, 1) / entering, 1, 0.01);
}

}  // namespace
}  // namespace compress
