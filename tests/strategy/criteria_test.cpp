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

TEST(Criteria, walk_each_covered_element_once) {
  const GroupMember member{{ValueId{0}, 1}, {{0, 2}, {1}}};
  std::vector<int> seen(12, 0);
  std::int64_t of_second = 0;
  for_each_run(member, {2, 3, 2}, [&](std::size_t index, std::size_t first, std::size_t count) {
    for (auto position = first; position < first + count; ++position) {
      ++seen[position];
      of_second += static_cast<std::int64_t>(index);
    }
  });
  EXPECT_THAT(seen, ::testing::Each(1));
  EXPECT_EQ(of_second, 4);
}

}  // namespace
}  // namespace compress
