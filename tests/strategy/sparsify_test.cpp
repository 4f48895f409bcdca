#include "libcompress/strategy/sparsify.h"

#include <gmock/gmock.h>

#include "libcompress/base/error.h"
#include "tests/graph/builder.h"

namespace compress {
namespace {

using testing::Builder;

Model sample() {
  Builder net({1, 3, 8, 8});
  Random random(2);
  return testing::with_random_weights(
      net.done(net.batch_norm("n", net.conv("b", net.conv("a", net.input(), 7, {.bias = true}), 5))), random);
}

double zeros_in(const StateDict& masks) {
  double zeros = 0;
  for (const auto& [name, mask] : masks) {
    for (const auto each : mask.as<float>()) zeros += each == 0.0f;
  }
  return zeros;
}

TEST(Sparsify, masks_exactly_the_smallest_weights_over_all_layers) {
  auto model = sample();
  const auto masks = magnitude_masks(model, 0.9);
  EXPECT_EQ(masks.size(), 2u) << "biases and norms have none";
  const double count = 7 * 27 + 5 * 63;
  EXPECT_EQ(zeros_in(masks), std::llround(0.9 * count));
  float largest_gone = 0, least_kept = 1e9f;
  for (const auto& [name, mask] : masks) {
    const auto weight = model.weights.at(name).as<float>();
    for (std::size_t i = 0; i < weight.size(); ++i) {
      if (mask.as<float>()[i] == 0.0f)
        largest_gone = std::max(largest_gone, std::abs(weight[i]));
      else
        least_kept = std::min(least_kept, std::abs(weight[i]));
    }
  }
  EXPECT_LE(largest_gone, least_kept);
}

TEST(Sparsify, counts_exactly_where_many_weights_are_equal) {
  auto model = sample();
  for (auto& element : model.weights.at("a.weight").as<float>()) element = 0.0f;
  for (auto& element : model.weights.at("b.weight").as<float>()) element = 1.0f;
  EXPECT_EQ(zeros_in(magnitude_masks(model, 0.25)), std::llround(0.25 * (189 + 315)));
  EXPECT_EQ(zeros_in(magnitude_masks(model, 0.0)), 0);
  EXPECT_EQ(zeros_in(magnitude_masks(model, 1.0)), 189 + 315);
}

TEST(Sparsify, applies_its_masks_in_place) {
  auto model = sample();
  apply_masks(model.weights, magnitude_masks(model, 0.5));
  double zeros = 0;
  for (const auto each : model.weights.at("b.weight").as<float>()) zeros += each == 0.0f;
  EXPECT_GT(zeros, 0);
}

TEST(Sparsify, refuses_a_fraction_out_of_range) {
  EXPECT_THROW(magnitude_masks(sample(), 1.5), Error);
  EXPECT_THROW(magnitude_masks(sample(), std::nan("")), Error);
}

}  // namespace
}  // namespace compress
