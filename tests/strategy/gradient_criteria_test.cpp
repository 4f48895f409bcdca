#include <gmock/gmock.h>

#include "libcompress/base/error.h"
#include "tests/strategy/scoring.h"

namespace compress {
namespace {

using testing::criteria;
using ::testing::DoubleEq;
using ::testing::ElementsAre;
using testing::Fixed;
using testing::sample;

TEST(Taylor, squares_the_summed_change_and_averages_over_batches) {
  const auto model = sample();
  const auto groups = find_groups(model.graph);
  const auto gradients = [&](float scale) {
    StateDict all;
    for (const auto& [name, weight] : model.weights) all[name] = Tensor(DType::float32, weight.shape());
    const std::vector<float> of_conv = {scale, scale}, of_fc = {0.5f * scale, 7, scale, 0};
    all["a.weight"] = Tensor::of({2, 1, 1, 1}, of_conv);
    all["fc.weight"] = Tensor::of({1, 4}, of_fc);
    return all;
  };
  Fixed source({gradients(1), gradients(2)});
  const auto taylor = criteria().make("taylor", {});
  EXPECT_TRUE(taylor->needs_gradients());
  // Index 0: 3 * 1 + 4 * 0.5 = 5 and 10; index 1: -1 + 2 = 1 and 2.
  EXPECT_THAT(taylor->score_all(groups, {model, 0, &source})[0], ElementsAre(DoubleEq(62.5), DoubleEq(2.5)));
}

TEST(Taylor, refuses_to_score_without_data) {
  const auto model = sample();
  const auto groups = find_groups(model.graph);
  EXPECT_THROW(criteria().make("taylor", {})->score_all(groups, {model}), Error);
  Fixed empty({});
  EXPECT_THROW(criteria().make("taylor", {})->score_all(groups, {model, 0, &empty}), Error);
}

}  // namespace
}  // namespace compress
