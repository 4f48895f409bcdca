#include <gmock/gmock.h>

#include "libcompress/base/error.h"
#include "tests/strategy/scoring.h"

namespace compress {
namespace {

using testing::Builder;
using ::testing::DoubleEq;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::sample;
using testing::score;
using testing::set_weight;
using testing::with_some_weights;

const auto l1 = std::string("l1");

TEST(Magnitude, sums_over_every_coupled_slice_of_weights) {
  EXPECT_THAT(score(sample(), "magnitude", {{"norm", l1}})[0], ElementsAre(DoubleEq(7), DoubleEq(5)));
  EXPECT_THAT(score(sample(), "magnitude")[0], ElementsAre(DoubleEq(5), DoubleEq(3)));
  EXPECT_THAT(score(sample(), "magnitude", {{"norm", std::string("squares")}})[0],
              ElementsAre(DoubleEq(25), DoubleEq(9)));
}

TEST(Magnitude, divides_a_group_by_its_mean_or_largest) {
  EXPECT_THAT(score(sample(), "magnitude", {{"normalize", std::string("mean")}})[0],
              ElementsAre(DoubleEq(1.25), DoubleEq(0.75)));
  EXPECT_THAT(score(sample(), "magnitude", {{"normalize", std::string("max")}})[0],
              ElementsAre(DoubleEq(1), DoubleEq(0.6)));
}

TEST(Magnitude, leaves_a_group_of_zeros_at_zero) {
  auto model = sample();
  set_weight(model, "a.weight", {0, 0});
  set_weight(model, "fc.weight", {0, 0, 0, 0});
  for (const auto* how : {"mean", "max"})
    EXPECT_THAT(score(model, "magnitude", {{"normalize", std::string(how)}})[0], Each(DoubleEq(0)));
}

TEST(Magnitude, refuses_an_unknown_norm) {
  EXPECT_THROW(score(sample(), "magnitude", {{"norm", std::string("l3")}}), Error);
}

TEST(Lamp, divides_a_squared_magnitude_by_what_its_group_has_left) {
  EXPECT_THAT(score(sample(), "lamp")[0], ElementsAre(DoubleEq(1), DoubleEq(9.0 / 34)));
}

TEST(Lamp, lets_the_later_of_equal_indices_go_first) {
  auto model = sample();
  set_weight(model, "a.weight", {2, 2});
  set_weight(model, "fc.weight", {0, 0, 0, 0});
  EXPECT_THAT(score(model, "lamp")[0], ElementsAre(DoubleEq(1), DoubleEq(0.5)));
  set_weight(model, "a.weight", {0, 0});
  EXPECT_THAT(score(model, "lamp")[0], Each(DoubleEq(0)));
}

TEST(BatchNormScale, takes_the_absolute_scale) {
  EXPECT_THAT(score(sample(), "bn_scale")[0], ElementsAre(DoubleEq(0.5), DoubleEq(2)));
}

TEST(BatchNormScale, sums_over_the_norms_of_a_group) {
  Builder net({1, 1, 2, 2});
  const auto a = net.batch_norm("na", net.conv("a", net.input(), 2));
  const auto b = net.batch_norm("nb", net.conv("b", net.input(), 2));
  auto model = with_some_weights(net.done(net.conv("c", net.add("sum", a, b), 1)));
  set_weight(model, "na.weight", {1, -2});
  set_weight(model, "nb.weight", {3, 4});
  EXPECT_THAT(score(model, "bn_scale")[0], ElementsAre(DoubleEq(4), DoubleEq(6)));
}

TEST(BatchNormScale, names_the_group_that_no_norm_scales) {
  Builder net({1, 1, 2, 2});
  const auto a = net.batch_norm("na", net.conv("a", net.input(), 2));
  const auto model = with_some_weights(net.done(net.conv("c", net.conv("b", a, 2), 1)));
  try {
    score(model, "bn_scale");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("group 'b'"));
    EXPECT_THAT(error.what(), HasSubstr("magnitude"));
  }
}

TEST(GeometricMedian, sums_the_distances_from_all_other_filters) {
  Builder net({1, 1, 2, 2});
  const auto a = net.conv("a", net.input(), 3, {.kernel = {1, 2}, .padding = {0, 0}});
  auto model = with_some_weights(net.done(net.conv("b", a, 1)));
  set_weight(model, "a.weight", {0, 0, 3, 4, 6, 8});
  EXPECT_THAT(score(model, "geometric_median")[0], ElementsAre(DoubleEq(15), DoubleEq(10), DoubleEq(15)));
}

TEST(GeometricMedian, looks_at_the_filters_that_make_a_group_not_at_those_that_read_it) {
  Builder net({1, 1, 2, 2});
  const testing::ConvSpec point{.kernel = {1, 1}, .padding = {0, 0}};
  const auto a = net.conv("a", net.input(), 2, point);
  const auto sum = net.add("sum", a, net.conv("b", a, 2, point));
  auto model = with_some_weights(net.done(net.conv("c", net.depthwise("d", sum), 1)));
  set_weight(model, "a.weight", {1, 4});        // 3 apart
  set_weight(model, "b.weight", {0, 0, 6, 8});  // rows 10 apart, columns 6 and 8 as well
  set_weight(model, "d.weight", {1, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0});  // 4 apart
  EXPECT_THAT(score(model, "geometric_median")[0], ElementsAre(DoubleEq(17), DoubleEq(17)));
}

TEST(GeometricMedian, takes_the_filters_of_a_grouped_convolution_together) {
  Builder net({1, 1, 2, 2});
  const auto a = net.conv("a", net.input(), 4);
  const auto b = net.conv("b", a, 4, {.kernel = {1, 1}, .padding = {0, 0}, .groups = 2});
  auto model = with_some_weights(net.done(net.conv("c", b, 1)));
  set_weight(model, "b.weight", {0, 0, 3, 0, 1, 1, 1, 5});  // indices {0, 2} and {1, 3}
  const auto groups = find_groups(model.graph);
  ASSERT_EQ(groups[1].name, "b");
  EXPECT_THAT(score(model, "geometric_median")[1], ElementsAre(DoubleEq(5), DoubleEq(5)));
}

TEST(RandomScores, depend_on_the_seed_alone) {
  const auto scores = score(sample(), "random", {}, 7);
  EXPECT_EQ(scores, score(sample(), "random", {}, 7));
  EXPECT_NE(scores, score(sample(), "random", {}, 8));
  EXPECT_NE(scores[0][0], scores[0][1]);
}

/// Grouped, depthwise and transposed convolutions, biases, no norm.
Model without_norms() {
  Builder net({1, 3, 8, 8});
  const auto a = net.relu("ra", net.conv("a", net.input(), 8, {.bias = true}));
  const auto b = net.relu("rb", net.depthwise("b", a));
  const auto c = net.conv("c", b, 8, {.groups = 2, .bias = true});
  return with_some_weights(net.done(net.linear("fc", net.unary("flatten", "f", c), 4)));
}

TEST(Criteria, of_weights_score_networks_of_any_convolution) {
  const auto model = without_norms();
  const auto groups = find_groups(model.graph);
  for (const auto* criterion : {"geometric_median", "lamp", "magnitude", "random"}) {
    const auto scores = score(model, criterion);
    ASSERT_EQ(scores.size(), groups.size());
    for (std::size_t g = 0; g < groups.size(); ++g) {
      ASSERT_EQ(static_cast<std::int64_t>(scores[g].size()), groups[g].size) << criterion;
      if (!groups[g].prunable) continue;
      EXPECT_THAT(scores[g], Each(::testing::Gt(0))) << criterion << " " << groups[g].name;
    }
  }
}

}  // namespace
}  // namespace compress
