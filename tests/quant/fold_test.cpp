#include "libcompress/quant/fold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libcompress/base/error.h"
#include "libcompress/runtime/executor.h"
#include "tests/quant/networks.h"

namespace compress {
namespace {

using test::NetworkBuilder;
using test::random_inputs;

/// Names of the nodes, in order.
std::vector<std::string> nodes_of(const Model& model) {
  std::vector<std::string> names;
  for (const auto id : model.graph.topological_order()) names.push_back(model.graph.node(id).name);
  return names;
}

/// Folding must not change the result by more than rounding.
Model folded_and_equal(const Model& model) {
  const auto folded = fold(model);
  const auto inputs = random_inputs(model, 3);
  const auto expected = run(model, inputs, 3);
  const auto actual = run(folded, inputs, 3);
  EXPECT_EQ(expected.size(), actual.size());
  float largest = 0;
  for (const float x : expected) largest = std::max(largest, std::abs(x));
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-5f * largest) << i;
  return folded;
}

TEST(Fold, joins_conv_and_batch_norm_and_removes_dropout) {
  const auto model = NetworkBuilder({1, 3, 8, 8})
                         .conv("conv", 6, {3, 3}, {1, 1}, 1, false)
                         .norm("norm")
                         .node("relu", "relu")
                         .node("dropout", "drop", {{"rate", 0.3}})
                         .finish();
  const auto folded = folded_and_equal(model);
  EXPECT_THAT(nodes_of(folded), testing::ElementsAre("conv", "relu"));
  EXPECT_EQ(folded.weights.size(), 2u);
}

TEST(Fold, joins_grouped_conv_with_bias_and_linear) {
  const auto model = NetworkBuilder({1, 4, 10})
                         .conv("conv", 8, {3}, {2}, 4)
                         .norm("norm1")
                         .node("relu", "relu")
                         .node("flatten", "flat")
                         .linear("fc", 5)
                         .norm("norm2")
                         .finish();
  EXPECT_THAT(nodes_of(folded_and_equal(model)), testing::ElementsAre("conv", "relu", "flat", "fc"));
}

TEST(Fold, joins_pads_of_zeros_into_the_convolutions_that_read_them) {
  const auto pad = [](std::vector<std::int64_t> padding, double value) {
    return NetworkBuilder({1, 3, 9, 8})
        .node("pad", "pad",
              {{"padding", std::move(padding)}, {"mode", std::string("constant")}, {"value", value}})
        .conv("conv", 6, {3, 2}, {2, 1}, 1, false)
        .norm("norm")
        .finish();
  };
  EXPECT_THAT(nodes_of(folded_and_equal(pad({0, 0, 0, 1, 0, 0, 1, 3}, 0))), testing::ElementsAre("conv"));
  EXPECT_THAT(nodes_of(folded_and_equal(pad({0, 0, 0, 1, 0, 0, 1, 3}, 0.5))),
              testing::ElementsAre("pad", "conv"));
  EXPECT_THAT(nodes_of(folded_and_equal(pad({0, 1, 0, 1, 0, 0, 1, 3}, 0))),
              testing::ElementsAre("pad", "conv"));
}

/// A transposed convolution of 4 channels to 6 in `groups` groups.
Model transposed(std::int64_t groups) {
  NetworkBuilder build({1, 4, 5, 5});
  auto model = build.finish();
  const auto weight = model.graph.add_parameter("up.weight", {4, 6 / groups, 3, 2});
  Random random(3);
  Tensor tensor(DType::float32, {4, 6 / groups, 3, 2});
  for (auto& element : tensor.as<float>()) element = static_cast<float>(random.uniform(-1, 1));
  model.weights["up.weight"] = tensor;
  const auto up = model.graph.add_node("conv_transpose", "up", {build.last(), weight},
                                       {{"stride", std::vector<std::int64_t>{2, 2}}, {"groups", groups}});
  std::vector<ValueId> inputs = {up};
  for (const std::string name : {"scale", "shift", "mean", "variance"}) {
    Tensor values(DType::float32, {6});
    for (auto& element : values.as<float>()) element = static_cast<float>(random.uniform(0.5, 2));
    model.weights["norm." + name] = values;
    const bool buffer = name == "mean" || name == "variance";
    inputs.push_back(buffer ? model.graph.add_buffer("norm." + name, {6})
                            : model.graph.add_parameter("norm." + name, {6}));
  }
  model.graph.set_outputs({model.graph.add_node("batch_norm", "norm", inputs)});
  return model;
}

TEST(Fold, joins_transposed_convolutions_along_their_own_axis) {
  for (const std::int64_t groups : {1, 2}) {
    const auto folded = folded_and_equal(transposed(groups));
    EXPECT_THAT(nodes_of(folded), testing::ElementsAre("up"));
  }
}

TEST(Fold, leaves_a_batch_norm_that_follows_no_layer_of_its_own) {
  NetworkBuilder build({1, 3, 6, 6});
  build.norm("first").conv("conv", 4, {1, 1}, {1, 1});
  const auto shared = build.last();
  build.norm("second");
  const auto left = build.last();
  build.join("add", "sum", {left, shared});
  EXPECT_THAT(nodes_of(folded_and_equal(build.finish())),
              testing::ElementsAre("first", "conv", "second", "sum"));
}

TEST(Fold, leaves_a_batch_norm_behind_a_computed_weight) {
  NetworkBuilder build({1, 4, 5, 5});
  build.conv("first", 4, {1, 1}, {1, 1}, 1, false);
  const auto first = build.last();
  const auto weight = *build.finish({first}).graph.find_value("first.weight");
  build.join("relu", "positive", {weight});
  build.join("conv", "second", {first, build.last()}).norm("norm");
  const auto folded = folded_and_equal(build.finish({build.last()}));
  EXPECT_THAT(nodes_of(folded), testing::UnorderedElementsAre("first", "positive", "second", "norm"));
}

TEST(Fold, does_not_touch_weights_that_another_node_reads) {
  NetworkBuilder build({1, 4, 6, 6});
  build.conv("conv", 4, {1, 1}, {1, 1}).norm("norm");
  auto model = build.finish();
  auto& graph = model.graph;
  const auto weight = *graph.find_value("conv.weight");
  const auto again = graph.add_node("conv", "again", {graph.outputs()[0], weight});
  graph.set_outputs({again});
  const auto folded = folded_and_equal(model);
  EXPECT_THAT(nodes_of(folded), testing::ElementsAre("conv", "again"));
}

TEST(Fold, refuses_a_variance_that_makes_weights_infinite) {
  auto model = NetworkBuilder({1, 3, 8, 8}).conv("conv", 6, {3, 3}, {1, 1}).norm("norm").finish();
  model.weights["norm.variance"].as<float>()[2] = -1;
  EXPECT_THROW(fold(model), Error);
}

}  // namespace
}  // namespace compress
