#include "libcompress/train/gradients.h"

#include <gmock/gmock.h>

#include <cmath>

#include "libcompress/runtime/executor.h"
#include "libcompress/train/batches.h"
#include "tests/train/tiny.h"

namespace compress {
namespace {

/// The mean cross-entropy, computed from the probabilities.
double loss_of(const Model& model, const Batch& batch) {
  const auto probabilities = run(model, batch.inputs, batch.count);
  double sum = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    if (batch.targets[i] > 0) sum -= batch.targets[i] * std::log(static_cast<double>(probabilities[i]));
  }
  return sum / static_cast<double>(batch.count);
}

TEST(GradientSource, agrees_with_finite_differences) {
  const tiny::Waves data;
  auto model = tiny::network();
  const auto batch = TrainingBatches(data, 16, 5).make(0, 0);
  const auto source = make_gradient_source(model, data, {.batches = 1, .batch_size = 16, .seed = 5});
  int batches = 0;
  source->for_each_batch([&](const StateDict& gradients) {
    ++batches;
    EXPECT_EQ(gradients.size(), 5U);  // the trained parameters, without running statistics
    for (const auto& [name, gradient] : gradients) {
      auto weight = model.weights.at(name);
      for (std::size_t i = 0; i < gradient.as<float>().size(); i += 3) {
        const float kept = weight.as<float>()[i];
        constexpr float kStep = 3e-4F;
        weight.as<float>()[i] = kept + kStep;
        const double above = loss_of(model, batch);
        weight.as<float>()[i] = kept - kStep;
        const double below = loss_of(model, batch);
        weight.as<float>()[i] = kept;
        EXPECT_NEAR(gradient.as<float>()[i], (above - below) / (2 * kStep), 1e-3) << name << " " << i;
      }
    }
  });
  EXPECT_EQ(batches, 1);
}

TEST(GradientSource, gives_as_many_batches_as_asked_and_the_same_ones_again) {
  const tiny::Waves data;
  const auto model = tiny::network();
  const auto source = make_gradient_source(model, data, {.batches = 5, .batch_size = 20, .seed = 1});
  std::vector<StateDict> first;
  source->for_each_batch([&](const StateDict& gradients) { first.push_back(gradients); });
  EXPECT_EQ(first.size(), 5U);
  std::size_t i = 0;
  source->for_each_batch(
      [&](const StateDict& gradients) { EXPECT_TRUE(tiny::same_bits(gradients, first[i++])); });
  EXPECT_TRUE(tiny::same_bits(model.weights, tiny::network().weights));
}

}  // namespace
}  // namespace compress
