#include "libcompress/quant/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libcompress/base/error.h"
#include "tests/quant/networks.h"

namespace compress {
namespace {

using test::NetworkBuilder;
using test::quantized;
using test::random_inputs;

Model three_layers() {
  return NetworkBuilder({1, 3, 8, 8})
      .conv("conv1", 6, {3, 3}, {1, 1})
      .node("relu", "relu1")
      .conv("conv2", 6, {3, 3}, {1, 1})
      .conv("conv3", 6, {3, 3}, {1, 1})
      .finish();
}

TEST(Compare, finds_no_parting_in_a_healthy_network) {
  const auto model = three_layers();
  const auto inputs = random_inputs(model, 8);
  const auto difference = compare(model, quantized(model, inputs), inputs, 8);
  EXPECT_FALSE(difference.first_parting);
  EXPECT_EQ(difference.inputs, 8);
  std::vector<std::string> names;
  for (const auto& layer : difference.layers) names.push_back(layer.value);
  EXPECT_THAT(names, testing::ElementsAre("input", "relu1", "conv2", "conv3"));
  EXPECT_GT(difference.layers[1].cosine, 0.999);
  EXPECT_LE(difference.layers[0].max_abs_error, 0.51 * difference.layers[0].step);
}

TEST(Compare, names_the_first_layer_that_went_wrong) {
  const auto model = three_layers();
  const auto inputs = random_inputs(model, 8);
  auto graph = quantized(model, inputs);
  for (auto& value : graph.values) {
    if (value.name != "conv2.weight") continue;
    value.constant = value.constant.clone();
    for (auto& w : value.constant.as<std::int8_t>()) w = static_cast<std::int8_t>(-w);
  }
  const auto difference = compare(model, graph, inputs, 8);
  ASSERT_TRUE(difference.first_parting);
  EXPECT_EQ(difference.layers[*difference.first_parting].value, "conv2");
  EXPECT_THAT(to_text(difference), testing::HasSubstr("conv2"));
}

TEST(Compare, refuses_another_network) {
  const auto model = three_layers();
  const auto inputs = random_inputs(model, 8);
  const auto other = NetworkBuilder({1, 3, 4, 4}).conv("conv1", 6, {3, 3}, {1, 1}).finish();
  EXPECT_THROW(compare(other, quantized(model, inputs), random_inputs(other, 1), 1), Error);
  EXPECT_THROW(compare(model, quantized(model, inputs), inputs, 7), Error);
}

}  // namespace
}  // namespace compress
