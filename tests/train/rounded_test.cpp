#include "libcompress/train/rounded.h"

#include <gtest/gtest.h>

#include "libcompress/runtime/executor.h"
#include "libcompress/train/trainer.h"
#include "tests/train/tiny.h"

namespace compress {
namespace {

TrainOptions options_for(std::int64_t epochs, double learning_rate) {
  TrainOptions options;
  options.epochs = epochs;
  options.batch_size = 16;
  options.learning_rate = learning_rate;
  options.schedule = "cosine";
  return options;
}

/// Weights in 8 bits, and activations behind the relu on so few levels that it hurts.
Grids coarse_grids(const Model& model) {
  const auto& graph = model.graph;
  Grids grids;
  grids[*graph.find_value("conv.weight")] = {std::vector<float>(8, 1.0F), 0, -127, 127};
  grids[*graph.find_value("relu")] = {{1.2F}, 0, 0, 1};
  return grids;
}

class RoundedTraining : public testing::Test {
 protected:
  void SetUp() override { use_threads(1); }

  const tiny::Waves data_;
  const Model parent_ = train(tiny::network(), data_, {.options = options_for(30, 0.1), .seed = 1}).model;
};

TEST_F(RoundedTraining, wins_back_what_rounding_cost) {
  const auto grids = coarse_grids(parent_);
  const double exact = evaluate(parent_, data_, Part::test).loss;
  const double rounded = evaluate_rounded(parent_, grids, data_, Part::test).loss;
  ASSERT_GT(rounded, exact + 0.05);
  const auto trained =
      train(parent_, data_, {.options = options_for(20, 0.05), .seed = 2, .rounding = grids}).model;
  EXPECT_LT(evaluate_rounded(trained, grids, data_, Part::test).loss, exact + 0.5 * (rounded - exact));
}

TEST_F(RoundedTraining, is_judged_as_it_is_rounded) {
  const auto grids = coarse_grids(parent_);
  const auto result = train(parent_, data_, {.options = options_for(3, 1e-6), .seed = 2, .rounding = grids});
  EXPECT_NEAR(*result.history.back().validation_loss,
              evaluate_rounded(parent_, grids, data_, Part::validation).loss, 1e-3);
}

TEST_F(RoundedTraining, freezes_the_statistics_of_norms) {
  const auto trained =
      train(parent_, data_, {.options = options_for(2, 0.01), .seed = 2, .rounding = coarse_grids(parent_)})
          .model;
  int buffers = 0, moved = 0;
  for (const auto id : parent_.graph.parameters()) {
    const auto& value = parent_.graph.value(id);
    const auto before = parent_.weights.at(value.name).as<float>();
    const auto after = trained.weights.at(value.name).as<float>();
    const bool same = std::equal(before.begin(), before.end(), after.begin());
    if (value.kind == ValueKind::buffer) {
      EXPECT_TRUE(same) << value.name;
      ++buffers;
    } else {
      moved += same ? 0 : 1;
    }
  }
  EXPECT_EQ(buffers, 2);
  EXPECT_GE(moved, 4);
}

TEST_F(RoundedTraining, makes_the_grids_of_weights_follow_them) {
  const Network network(parent_, WeightUse::shared);
  const auto now = grids_now(network, coarse_grids(parent_));
  const auto weights = parent_.graph.find_value("conv.weight");
  EXPECT_EQ(now.at(*weights).scales.size(), 8U);
  EXPECT_LT(now.at(*weights).scales[0], 0.1F);
  EXPECT_EQ(now.at(*parent_.graph.find_value("relu")).scales, (std::vector<float>{1.2F}));
}

}  // namespace
}  // namespace compress
