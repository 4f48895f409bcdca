#include "libcompress/quant/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "libcompress/base/error.h"
#include "tests/quant/networks.h"

namespace compress {
namespace {

using test::NetworkBuilder;
using test::random_inputs;
using test::WholeRange;

/// Half of the whole range, so that a test sees which observer was at work.
class HalfRange final : public Observer {
 public:
  std::unique_ptr<Observer> fresh() const override { return std::make_unique<HalfRange>(); }
  void observe(std::span<const float> values) override { whole_.observe(values); }
  Range range() const override { return {whole_.range().low / 2, whole_.range().high / 2}; }

 private:
  WholeRange whole_;
};

Model two_layers() {
  return NetworkBuilder({1, 3, 8, 8})
      .conv("conv1", 6, {3, 3}, {1, 1})
      .node("relu", "relu1")
      .conv("conv2", 6, {3, 3}, {1, 1})
      .finish();
}

ValueRanges calibrated(const Model& model, std::vector<ObserverRule> rules = {}) {
  ArraySource source(random_inputs(model, 4), 3 * 8 * 8);
  return calibrate(model, {source, WholeRange(), silent_reporter(), std::move(rules)});
}

TEST(Calibrate, takes_the_last_observer_whose_pattern_matches) {
  const auto model = two_layers();
  const auto half = std::make_shared<HalfRange>();
  const auto plain = calibrated(model);
  const auto ruled = calibrated(model, {{"*", half}, {"conv2", std::make_shared<WholeRange>()}});
  EXPECT_EQ(ruled.at("input").high, plain.at("input").high / 2);
  EXPECT_EQ(ruled.at("relu1").high, plain.at("relu1").high / 2);
  EXPECT_EQ(ruled.at("conv2").high, plain.at("conv2").high);
}

TEST(Calibrate, lets_a_pattern_of_a_layer_mean_the_relu_that_joins_it) {
  const auto model = two_layers();
  const auto ruled = calibrated(model, {{"conv1", std::make_shared<HalfRange>()}});
  EXPECT_EQ(ruled.at("relu1").high, calibrated(model).at("relu1").high / 2);
}

TEST(Calibrate, refuses_a_pattern_that_matches_nothing) {
  const auto model = two_layers();
  EXPECT_THROW(calibrated(model, {{"conv9", std::make_shared<HalfRange>()}}), Error);
}

std::string message_for(const Model& model, std::vector<float> inputs) {
  try {
    test::quantized(model, std::move(inputs));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "";
}

TEST(Quantize, says_that_calibration_had_nothing_that_varies_or_is_finite) {
  const auto model = two_layers();
  EXPECT_THAT(message_for(model, {}), testing::HasSubstr("no inputs"));
  EXPECT_THAT(message_for(model, std::vector<float>(3 * 8 * 8, 0.0f)),
              testing::AllOf(testing::HasSubstr("'input'"), testing::HasSubstr("activations that vary")));
  auto inputs = random_inputs(model, 2);
  inputs[5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(message_for(model, inputs),
              testing::AllOf(testing::HasSubstr("'input'"), testing::HasSubstr("calibration data")));
}

TEST(Quantize, gives_weights_one_scale_where_a_pattern_says_so) {
  const auto model = two_layers();
  ArraySource source(random_inputs(model, 4), 3 * 8 * 8);
  const auto made = post_training(model, {source, WholeRange()}, {.one_scale = {"conv2"}});
  for (const auto& value : made.graph.values) {
    const auto& scales = value.channel_scales;
    if (value.name == "conv1.weight") {
      EXPECT_NE(scales[0], scales[1]);
    } else if (value.name == "conv2.weight") {
      EXPECT_THAT(scales, testing::Each(scales[0]));
    }
  }
  ArraySource again(random_inputs(model, 4), 3 * 8 * 8);
  EXPECT_THROW(post_training(model, {again, WholeRange()}, {.one_scale = {"conv9"}}), Error);
}

}  // namespace
}  // namespace compress
