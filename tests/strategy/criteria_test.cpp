#include "plugins/criteria/criteria.h"

#include <gmock/gmock.h>

#include "libcompress/base/error.h"
#include "libcompress/strategy/slice_sums.h"
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

/// Whole numbers, so that every order of additions gives the same sums.
std::vector<float> whole_numbers(const Shape& shape, int modulus) {
  std::vector<float> numbers(static_cast<std::size_t>(element_count(shape)));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<float>(static_cast<int>(i * i) % modulus - modulus / 2);
  return numbers;
}

/// Element by element, from the definition.
std::vector<double> sums_by_hand(const Shape& shape, std::int32_t axis, const Terms& terms) {
  std::vector<double> sums(static_cast<std::size_t>(shape[static_cast<std::size_t>(axis)]), 0.0);
  for (std::size_t i = 0; i < terms.a.size(); ++i) {
    auto rest = static_cast<std::int64_t>(i), index = std::int64_t{0};
    for (auto d = static_cast<std::int32_t>(shape.size()) - 1; d >= axis; --d) {
      index = rest % shape[static_cast<std::size_t>(d)];
      rest /= shape[static_cast<std::size_t>(d)];
    }
    const double a = terms.a[i];
    sums[static_cast<std::size_t>(index)] += terms.kind == Terms::Kind::absolute ? std::abs(a)
                                             : terms.kind == Terms::Kind::square ? a * a
                                                                                 : a * terms.b[i];
  }
  return sums;
}

TEST(SliceSums, are_those_of_the_definition_along_every_axis) {
  for (const Shape& shape :
       {Shape{5}, Shape{3, 7}, Shape{4, 1}, Shape{3, 40, 2}, Shape{2, 9, 3, 3}, Shape{2, 3, 20}}) {
    const auto a = whole_numbers(shape, 17), b = whole_numbers(shape, 13);
    for (const auto& terms : {Terms{Terms::Kind::absolute, a}, Terms{Terms::Kind::square, a},
                              Terms{Terms::Kind::product, a, b}}) {
      SliceSums sums([&](const Value&) { return terms; });
      const Value value{ValueId{0}, "w", ValueKind::parameter, DType::float32, shape};
      for (std::int32_t axis = 0; axis < static_cast<std::int32_t>(shape.size()); ++axis) {
        const auto expected = sums_by_hand(shape, axis, terms);
        EXPECT_EQ(slice_sums(shape, axis, terms), expected) << to_string(shape) << " axis " << axis;
        EXPECT_THAT(sums.of(value, axis), ::testing::ElementsAreArray(expected)) << to_string(shape);
      }
    }
  }
}

TEST(SliceSums, leave_out_a_value_without_terms) {
  SliceSums sums([](const Value&) { return Terms{}; });
  EXPECT_TRUE(sums.of(Value{ValueId{0}, "w", ValueKind::parameter, DType::float32, {2, 3}}, 1).empty());
}

TEST(Criteria, credit_what_goes_with_an_index) {
  const GroupMember member{{ValueId{0}, 1}, {{0, 2}, {1}}};
  Scores scores = {10, 20};
  credit(member, std::vector<double>{1, 2, 4}, scores);
  EXPECT_THAT(scores, ::testing::ElementsAre(15, 22));
}

}  // namespace
}  // namespace compress
