#include "libcompress/quant/weight_repair.h"

#include <gtest/gtest.h>

#include <cmath>

#include "libcompress/quant/fold.h"
#include "libcompress/quant/lower.h"
#include "libcompress/quant/reference.h"
#include "tests/quant/networks.h"

namespace compress {
namespace {

using test::NetworkBuilder;
using test::random_inputs;
using test::WholeRange;

constexpr std::int64_t kCount = 512;
constexpr std::uint64_t kCalibrationSeed = 2;

/// Convolutions of every kind, some without a bias.
Model mixed() {
  return NetworkBuilder({1, 3, 8, 8})
      .conv("conv1", 8, {3, 3}, {2, 1}, 1, false)
      .node("relu", "relu1")
      .conv("depth", 8, {5, 3}, {1, 1}, 8)
      .node("relu", "relu2")
      .conv("grouped", 8, {1, 1}, {1, 1}, 2, false)
      .node("flatten", "flat")
      .linear("fc", 6)
      .finish();
}

/// Neighbours in an image are alike.
std::vector<float> smooth_inputs(const Model& model, std::uint64_t seed) {
  auto inputs = random_inputs(model, kCount, seed);
  for (std::size_t i = 1; i < inputs.size(); ++i) inputs[i] = 0.9f * inputs[i - 1] + 0.4f * inputs[i];
  return inputs;
}

Quantization quantized(const Model& model, const WeightRepairs& repairs,
                       std::vector<std::string> one_scale = {}) {
  use_threads(1);
  ArraySource source(smooth_inputs(model, kCalibrationSeed), 3 * 8 * 8);
  return post_training(model, {source, WholeRange()},
                       {.one_scale = std::move(one_scale), .repairs = repairs});
}

/// Mean of the error of each output, and mean square of all, over other inputs than those of calibration.
struct Errors {
  std::vector<double> mean;
  double square = 0;
};

Errors errors_of(const Model& model, const QuantizedGraph& graph, std::uint64_t seed) {
  const auto inputs = smooth_inputs(model, seed);
  const auto exact = run(model, inputs, kCount);
  const ReferenceExecutor executor(graph);
  const auto size = inputs.size() / kCount;
  const auto width = exact.size() / kCount;
  Errors errors{std::vector<double>(width), 0};
  for (std::size_t i = 0; i < kCount; ++i) {
    const auto found = dequantize_output(
        graph, executor.run(quantize_input(graph, std::span(inputs).subspan(i * size, size))));
    for (std::size_t k = 0; k < width; ++k) {
      const double error = found[k] - exact[i * width + k];
      errors.mean[k] += error / kCount;
      errors.square += error * error / static_cast<double>(exact.size());
    }
  }
  return errors;
}

double power(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return sum;
}

TEST(WeightRepair, adds_biases_without_changing_what_is_computed) {
  const auto model = mixed();
  const auto biased = with_biases(model);
  EXPECT_TRUE(biased.graph.find_value("conv1.bias"));
  const auto inputs = random_inputs(model, 2);
  EXPECT_EQ(run(model, inputs, 2), run(biased, inputs, 2));
}

TEST(BiasCorrection, gives_each_output_the_mean_of_the_float_network) {
  const auto model = mixed();
  // One scale for all weights: coarse enough that means move.
  const auto plain = quantized(model, {}, {"*"});
  const auto repaired = quantized(model, {.bias_correction = true}, {"*"});
  const double before = power(errors_of(model, plain.graph, kCalibrationSeed).mean);
  EXPECT_LT(power(errors_of(model, repaired.graph, kCalibrationSeed).mean), 0.7 * before);
}

/// The 8-bit weights of a node.
std::vector<std::int8_t> weights_of(const QuantizedGraph& graph, const std::string& node) {
  for (const auto& value : graph.values) {
    if (value.name != node + ".weight") continue;
    const auto data = value.constant.as<std::int8_t>();
    return {data.begin(), data.end()};
  }
  return {};
}

TEST(AdaRound, moves_each_weight_by_one_level_at_most_and_keeps_the_scales) {
  const auto model = mixed();
  const auto plain = quantized(model, {});
  const auto repaired = quantized(model, {.adaround = true, .bias_correction = true});
  int moved = 0;
  for (const std::string node : {"conv1", "depth", "grouped", "fc"}) {
    const auto before = weights_of(plain.graph, node);
    const auto after = weights_of(repaired.graph, node);
    ASSERT_EQ(before.size(), after.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
      EXPECT_LE(std::abs(before[i] - after[i]), 1) << node;
      moved += before[i] != after[i];
    }
  }
  EXPECT_GT(moved, 10);
  for (const auto& value : plain.graph.values) {
    for (const auto& other : repaired.graph.values) {
      if (value.name != other.name || value.channel_scales.empty() || value.dtype != DType::int8) continue;
      for (std::size_t i = 0; i < value.channel_scales.size(); ++i)
        EXPECT_FLOAT_EQ(value.channel_scales[i], other.channel_scales[i]);
    }
  }
}

TEST(WeightRepair, leaves_weights_that_two_layers_share) {
  NetworkBuilder build({1, 3, 8, 8});
  build.conv("conv1", 3, {3, 3}, {1, 1});
  auto model = build.finish();
  const auto& node = model.graph.node(*model.graph.find_node("conv1"));
  const auto again =
      model.graph.add_node("conv", "conv2", {node.output, node.inputs[1], node.inputs[2]}, node.attributes);
  model.graph.set_outputs({again});
  const auto plain = quantized(model, {});
  const auto repaired = quantized(model, {.adaround = true, .bias_correction = true});
  EXPECT_EQ(weights_of(plain.graph, "conv1"), weights_of(repaired.graph, "conv1"));
}

}  // namespace
}  // namespace compress
