#include "plugins/criteria/criteria.h"

#include <gmock/gmock.h>

#include "libcompress/base/error.h"
#include "tests/graph/builder.h"

namespace compress {
namespace {

using testing::Builder;
using ::testing::DoubleEq;
using ::testing::ElementsAre;

Catalog<Criterion> criteria() {
  Catalog<Criterion> catalog("criterion");
  register_magnitude(catalog);
  register_taylor(catalog);
  return catalog;
}

/// Two channels: conv a [2, 1, 1, 1], its norm, and a linear layer that reads 1 x 2 pixels of each.
Model sample() {
  Builder net({1, 1, 1, 2});
  const auto a = net.conv("a", net.input(), 2, {.kernel = {1, 1}, .padding = {0, 0}, .bias = true});
  Random random(1);
  auto model = testing::with_random_weights(
      net.done(net.linear("fc", net.unary("flatten", "f", net.batch_norm("n", a)), 1)), random);
  const auto set = [&](const std::string& name, std::vector<float> values) {
    model.weights[name] = Tensor::of(model.weights.at(name).shape(), values);
  };
  set("a.weight", {3, -1});
  set("a.bias", {100, 100});
  set("fc.weight", {4, 0, 2, -2});
  return model;
}

TEST(Magnitude, sums_over_every_coupled_slice_of_weights) {
  const auto model = sample();
  const auto groups = find_groups(model.graph);
  const auto l1 = criteria().make("magnitude", {{"norm", std::string("l1")}});
  EXPECT_THAT(l1->score_all(groups, {model})[0], ElementsAre(DoubleEq(7), DoubleEq(5)));
  const auto l2 = criteria().make("magnitude", {});
  EXPECT_THAT(l2->score_all(groups, {model})[0], ElementsAre(DoubleEq(5), DoubleEq(3)));
}

TEST(Magnitude, refuses_an_unknown_norm) {
  EXPECT_THROW(criteria().make("magnitude", {{"norm", std::string("l3")}}), Error);
}

/// Hands out fixed gradients.
class Fixed final : public GradientSource {
 public:
  explicit Fixed(std::vector<StateDict> batches) : batches_(std::move(batches)) {}
  void for_each_batch(const std::function<void(const StateDict&)>& use) override {
    for (const auto& batch : batches_) use(batch);
  }

 private:
  std::vector<StateDict> batches_;
};

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

TEST(Criteria, sum_over_the_slices_of_an_axis) {
  const Shape shape = {2, 3, 20};
  const auto position = [](std::size_t i) { return static_cast<double>(i); };
  const auto range = [](double from, double count) { return count * from + count * (count - 1) / 2; };
  EXPECT_THAT(slice_sums(shape, 0, position), ::testing::ElementsAre(range(0, 60), range(60, 60)));
  EXPECT_THAT(slice_sums(shape, 1, position),
              ::testing::ElementsAre(range(0, 20) + range(60, 20), range(20, 20) + range(80, 20),
                                     range(40, 20) + range(100, 20)));
  const auto last = slice_sums(shape, 2, position);
  ASSERT_EQ(last.size(), 20u);
  EXPECT_EQ(last[3], 3 + 23 + 43 + 63 + 83 + 103);
}

TEST(Criteria, sum_over_rows_and_columns_in_one_visit) {
  const auto position = [](std::size_t i) { return static_cast<double>(i * i % 17); };
  for (const Shape& shape : {Shape{3, 7}, Shape{3, 7, 2}, Shape{2, 9, 3, 3}, Shape{4, 1}}) {
    const auto both = row_and_column_sums(shape, position);
    EXPECT_EQ(both[0], slice_sums(shape, 0, position)) << to_string(shape);
    EXPECT_EQ(both[1], slice_sums(shape, 1, position)) << to_string(shape);
  }
}

TEST(Criteria, credit_what_goes_with_an_index) {
  const GroupMember member{{ValueId{0}, 1}, {{0, 2}, {1}}};
  Scores scores = {10, 20};
  credit(member, std::vector<double>{1, 2, 4}, scores);
  EXPECT_THAT(scores, ::testing::ElementsAre(15, 22));
}

}  // namespace
}  // namespace compress
