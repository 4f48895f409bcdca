#include "libcompress/quant/sensitivity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "libcompress/base/error.h"
#include "tests/quant/networks.h"

namespace compress {
namespace {

using test::NetworkBuilder;
using test::random_inputs;
using test::WholeRange;

constexpr std::int64_t kCount = 16;

Model three_layers() {
  return NetworkBuilder({1, 3, 8, 8})
      .conv("conv1", 6, {3, 3}, {1, 1})
      .node("relu", "relu1")
      .node("max_pool", "pool",
            {{"kernel", std::vector<std::int64_t>{2, 2}}, {"stride", std::vector<std::int64_t>{2, 2}}})
      .conv("conv2", 6, {3, 3}, {1, 1})
      .node("flatten", "flat")
      .linear("fc", 5)
      .finish();
}

Quantization quantized(const Model& model, const std::vector<float>& inputs) {
  use_threads(1);
  ArraySource source(inputs, 3 * 8 * 8);
  return post_training(model, {source, WholeRange()});
}

TEST(Sensitivity, tells_of_the_input_and_of_each_layer_that_rounds) {
  const auto model = three_layers();
  const auto inputs = random_inputs(model, kCount);
  const auto made = quantized(model, inputs);
  const auto layers = sensitivity(made.folded, made.graph, inputs, kCount);
  std::vector<std::string> names;
  for (const auto& layer : layers) names.push_back(layer.value);
  EXPECT_THAT(names, testing::ElementsAre("input", "relu1", "conv2", "fc"));
  for (const auto& layer : layers) {
    EXPECT_GT(layer.sqnr_db, 20) << layer.value;
    EXPECT_LT(layer.sqnr_db, 80) << layer.value;
    EXPECT_GE(layer.same_class, kCount - 2) << layer.value;
  }
}

TEST(Sensitivity, puts_the_layer_with_a_bad_scale_first) {
  const auto model = three_layers();
  const auto inputs = random_inputs(model, kCount);
  auto made = quantized(model, inputs);
  made.ranges.at("conv2").high *= 40;
  made.graph = lower(made.folded, made.ranges);
  const auto layers = sensitivity(made.folded, made.graph, inputs, kCount);
  const auto worst = std::min_element(layers.begin(), layers.end(),
                                      [](const auto& a, const auto& b) { return a.sqnr_db < b.sqnr_db; });
  EXPECT_EQ(worst->value, "conv2");
  const auto text = to_text(layers, kCount);
  EXPECT_LT(text.find("conv2"), text.find("relu1"));
}

TEST(Sensitivity, refuses_inputs_of_another_size) {
  const auto model = three_layers();
  const auto inputs = random_inputs(model, kCount);
  const auto made = quantized(model, inputs);
  EXPECT_THROW(sensitivity(made.folded, made.graph, inputs, kCount - 1), Error);
}

}  // namespace
}  // namespace compress
