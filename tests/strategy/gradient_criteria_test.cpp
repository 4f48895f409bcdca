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

/// Of the sample's parameters: ones times `scale` for the convolution, and some for the linear layer.
StateDict gradients_of_sample(float scale) {
  StateDict all;
  for (const auto& [name, weight] : sample().weights) all[name] = Tensor(DType::float32, weight.shape());
  const std::vector<float> of_conv = {scale, scale}, of_fc = {0.5f * scale, 7, scale, 0};
  all["a.weight"] = Tensor::of({2, 1, 1, 1}, of_conv);
  all["fc.weight"] = Tensor::of({1, 4}, of_fc);
  return all;
}

TEST(Taylor, squares_the_summed_change_and_averages_over_batches) {
  const auto model = sample();
  const auto groups = find_groups(model.graph);
  Fixed source({gradients_of_sample(1), gradients_of_sample(2)});
  const auto taylor = criteria().make("taylor", {{"form", std::string("weights")}});
  EXPECT_TRUE(taylor->needs_gradients());
  // Index 0: 3 * 1 + 4 * 0.5 = 5 and 10; index 1: -1 + 2 = 1 and 2.
  EXPECT_THAT(taylor->score_all(groups, {model, 0, &source})[0], ElementsAre(DoubleEq(62.5), DoubleEq(2.5)));
}

TEST(Taylor, of_absolute_products_takes_each_weight_by_itself) {
  const auto model = sample();
  Fixed source({gradients_of_sample(1), gradients_of_sample(2)});
  const auto taylor = criteria().make("taylor", {{"form", std::string("absolute")}});
  // Index 0: 3 * 1 + 4 * 0.5 = 5 and 10; index 1: 1 + 2 = 3 and 6.
  EXPECT_THAT(taylor->score_all(find_groups(model.graph), {model, 0, &source})[0],
              ElementsAre(DoubleEq(7.5), DoubleEq(4.5)));
}

TEST(Taylor, of_weights_refuses_to_score_without_data) {
  const auto model = sample();
  const auto groups = find_groups(model.graph);
  for (const auto* form : {"weights", "absolute"}) {
    const auto taylor = criteria().make("taylor", {{"form", std::string(form)}});
    EXPECT_THROW(taylor->score_all(groups, {model}), Error);
    Fixed empty(std::vector<StateDict>{});
    EXPECT_THROW(taylor->score_all(groups, {model, 0, &empty}), Error);
  }
}

/// Scores of the sample's one group from the changes of its one tap.
Scores score_of(const std::string& criterion, Fixed& source,
                const std::map<std::string, OptionValue>& options = {}) {
  const auto model = sample();
  const auto groups = find_groups(model.graph);
  const auto made = criteria().make(criterion, options);
  EXPECT_TRUE(made->needs_gradients());
  return made->score_all(groups, {model, 0, &source})[0];
}

/// Two batches, of two examples and of one; what the linear layer reads: two pixels of each index.
Fixed changes_of_what_is_read() {
  const std::vector<float> first = {1, 2, 4, 0, -5, 1, 0, -2}, second = {0, 1, 3, 3};
  return Fixed({Tensor::of({2, 4}, first), Tensor::of({1, 4}, second)});
}

TEST(Taylor, of_activations_averages_the_absolute_change_of_examples) {
  auto source = changes_of_what_is_read();
  // Index 0: 3, -4 and 1; index 1: 4, -2 and 6. The layer reads one element a feature.
  EXPECT_THAT(score_of("taylor", source), ElementsAre(DoubleEq(8.0 / 3), DoubleEq(4)));
  ASSERT_EQ(source.asked.size(), 1U);
  EXPECT_EQ(source.asked[0].operand, 0);
}

TEST(Fisher, is_half_the_mean_square_of_the_changes) {
  auto source = changes_of_what_is_read();
  EXPECT_THAT(score_of("fisher", source),
              ElementsAre(DoubleEq((9 + 16 + 1) / 6.0), DoubleEq((16 + 4 + 36) / 6.0)));
}

TEST(NormalizedTaylor, keeps_signs_over_examples_and_divides_by_the_norm_of_the_layer) {
  const std::vector<float> first = {1, -6, 3, -4}, second = {2, 2};
  Fixed source({Tensor::of({2, 2}, first), Tensor::of({1, 2}, second)});
  EXPECT_THAT(score_of("normalized_taylor", source), ElementsAre(DoubleEq(0.6), DoubleEq(0.8)));
  ASSERT_EQ(source.asked.size(), 1U);
  EXPECT_TRUE(source.asked[0].is_output());
}

TEST(NormalizedTaylor, leaves_a_layer_without_changes_at_zero) {
  Fixed source({Tensor(DType::float32, {1, 2})});
  EXPECT_THAT(score_of("normalized_taylor", source), ElementsAre(0, 0));
}

TEST(GradientCriteria, refuse_to_score_without_data) {
  const auto model = sample();
  const auto groups = find_groups(model.graph);
  for (const auto* name : {"normalized_taylor", "fisher", "taylor"}) {
    const auto criterion = criteria().make(name, {});
    EXPECT_THROW(criterion->score_all(groups, {model}), Error) << name;
    Fixed empty(std::vector<Tensor>{});
    EXPECT_THROW(criterion->score_all(groups, {model, 0, &empty}), Error) << name;
  }
}

/// Knows gradients of parameters alone.
class OfParameters final : public GradientSource {
 public:
  void for_each_batch(const std::function<void(const StateDict&)>&) override {}
};

TEST(GradientCriteria, say_so_where_the_source_knows_no_activations) {
  const auto model = sample();
  OfParameters source;
  EXPECT_THROW(criteria().make("fisher", {})->score_all(find_groups(model.graph), {model, 0, &source}),
               Error);
}

}  // namespace
}  // namespace compress
