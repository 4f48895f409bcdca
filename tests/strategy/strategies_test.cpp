#include "plugins/strategies/strategies.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "libcompress/base/error.h"
#include "libcompress/surgery/surgery.h"
#include "tests/graph/builder.h"
#include "tests/strategy/all_strategies.h"
#include "tests/strategy/scoring.h"

namespace compress {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::strategies;
using OptionValues = std::map<std::string, OptionValue>;

std::unique_ptr<Strategy> made(const std::string& name, const OptionValues& options = {}) {
  return strategies().make(name, options);
}

OptionValues scheduled(const std::string& schedule, std::int64_t steps) {
  return {{"schedule", schedule}, {"steps", steps}};
}

std::vector<double> amounts_of(const std::vector<Step>& steps) {
  std::vector<double> amounts;
  for (const auto& step : steps) amounts.push_back(step.amount);
  return amounts;
}

/// Three convolutions one behind the other, 8, 16 and 32 wide, then one of 4 that makes the output. Scores
/// are 1, 2, 3, ... in each group.
struct Bench {
  Model model;
  std::vector<PruningGroup> groups;
  std::vector<Scores> scores;

  Bench() {
    testing::Builder net({1, 3, 8, 8});
    const auto c = net.conv("c", net.conv("b", net.conv("a", net.input(), 8), 16), 32);
    Random random(3);
    model = testing::with_random_weights(net.done(net.conv("out", c, 4)), random);
    groups = find_groups(model.graph);
    for (const auto& group : groups) {
      scores.emplace_back();
      for (std::int64_t i = 0; i < group.size; ++i) scores.back().push_back(static_cast<double>(i + 1));
    }
  }

  std::int64_t params(double part) const {
    return static_cast<std::int64_t>(part * static_cast<double>(cost_of(model.graph).params));
  }
  PlanRequest request(double part, double tolerance = 0.05) const {
    return {model, groups, scores, {{{Resource::params, params(part)}}, tolerance}, {}};
  }
};

std::vector<std::size_t> widths_of(const PruningPlan& plan) {
  std::vector<std::size_t> widths;
  for (const auto& group : plan.groups) widths.push_back(group.kept.size());
  return widths;
}

TEST(Schedules, prune_at_once_by_default) {
  for (const auto& name : strategies().names()) {
    if (name == "hybrid") continue;
    const auto steps = made(name)->schedule(30);
    ASSERT_EQ(steps.size(), 1u) << name;
    EXPECT_EQ(steps[0].kind, Step::Kind::prune) << name;
    EXPECT_EQ(steps[0].amount, 1.0) << name;
    EXPECT_EQ(steps[0].epochs, 30) << name;
  }
}

TEST(Schedules, share_the_epochs_among_their_steps) {
  for (const auto* schedule : {"linear", "cubic", "one_group"}) {
    std::vector<std::int64_t> epochs;
    for (const auto& step : made("global", scheduled(schedule, 3))->schedule(20))
      epochs.push_back(step.epochs);
    EXPECT_THAT(epochs, ElementsAre(6, 7, 7)) << schedule;
  }
}

TEST(Schedules, go_to_the_budget_in_equal_or_in_shrinking_steps) {
  EXPECT_THAT(amounts_of(made("uniform", scheduled("linear", 4))->schedule(0)),
              ElementsAre(0.25, 0.5, 0.75, 1.0));
  EXPECT_THAT(amounts_of(made("uniform", scheduled("one_group", 2))->schedule(0)), ElementsAre(0.5, 1.0));
  // 1 - (1 - t)^3
  EXPECT_THAT(amounts_of(made("uniform", scheduled("cubic", 4))->schedule(0)),
              ElementsAre(DoubleNear(37.0 / 64, 1e-12), DoubleNear(56.0 / 64, 1e-12),
                          DoubleNear(63.0 / 64, 1e-12), 1.0));
}

TEST(Schedules, of_one_shot_have_one_step) {
  try {
    made("global", {{"steps", std::int64_t{3}}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::recipe);
    EXPECT_THAT(error.what(), HasSubstr("say schedule: linear"));
  }
}

TEST(Schedules, of_one_group_prune_the_group_that_matters_least_alone) {
  Bench bench;
  for (auto& score : bench.scores[1]) score = 1.0;  // its least is 1 of 16, the others' less
  const auto plan = made("global", scheduled("one_group", 20))->plan(bench.request(0.95, 1.0));
  EXPECT_THAT(widths_of(plan), ElementsAre(8, 16, ::testing::Lt(32)));
}

TEST(Schedules, of_one_group_go_on_with_the_next_where_one_is_not_enough) {
  const Bench bench;
  for (const auto& name : strategies().names()) {
    const auto plan = made(name, scheduled("one_group", 20))->plan(bench.request(0.2));
    EXPECT_LE(cost_of(pruned_graph(bench.model.graph, bench.groups, plan)).params, bench.params(0.2)) << name;
  }
}

TEST(Uniform, removes_the_same_fraction_of_every_layer) {
  EXPECT_THAT(widths_of(made("uniform")->plan(Bench().request(0.3))), ElementsAre(4, 8, 16));
}

TEST(Global, removes_the_least_scored_of_all) {
  Bench bench;
  bench.scores = {Scores(8, 1.0), Scores(16, 1.0), Scores(32, 1.0), bench.scores[3]};
  for (std::size_t i = 0; i < 16; ++i) bench.scores[2][i] = 0.1;
  const auto plan = made("global")->plan(bench.request(0.7, 0.2));
  EXPECT_THAT(widths_of(plan), ElementsAre(8, 16, ::testing::AllOf(::testing::Lt(32), ::testing::Ge(16))));
}

TEST(Global, a_small_layer_below_every_threshold_keeps_its_least_width) {
  Bench bench;
  bench.scores[0] = {8, 1e-9, 1e-9, 1e-9, 1e-9, 1e-9, 1e-9, 1e-9};
  auto request = bench.request(0.2);
  request.limits.min_channels = 3;
  const auto plan = made("global")->plan(request);
  EXPECT_EQ(plan.groups[0].kept.size(), 3u);
  const auto reached = cost_of(pruned_graph(bench.model.graph, bench.groups, plan)).params;
  EXPECT_GE(reached, bench.params(0.19)) << "the others make up for it";
}

TEST(Global, compares_layers_by_their_scores_alone_where_told) {
  Bench bench;
  for (auto& score : bench.scores[2]) score *= 1000.0;
  const auto plan = made("global", {{"compare", std::string("as_scored")}})->plan(bench.request(0.7));
  EXPECT_EQ(plan.groups[2].kept.size(), 32u);
}

TEST(Global, compares_layers_by_scores_over_their_mean_where_told) {
  Bench bench;
  bench.scores[2] = Scores(32, 1e6);  // 1 over their mean, which is above the lower half of all others
  const auto plan = made("global", {{"compare", std::string("mean")}})->plan(bench.request(0.7));
  EXPECT_EQ(plan.groups[2].kept.size(), 32u);
}

TEST(Global, compares_layers_by_the_part_that_an_index_has_of_what_is_left) {
  Bench bench;
  // Of 8 alike the last is an eighth of what is left, then a seventh, ...; of 16 a 16th; of 32 a 32nd: all go
  // down to the same width.
  for (auto& scores : bench.scores) std::fill(scores.begin(), scores.end(), 1.0);
  const auto widths = widths_of(made("global")->plan(bench.request(0.2, 0.2)));
  const auto [least, most] = std::minmax({widths[0], widths[1], widths[2]});
  EXPECT_LE(most - least, 1u);
}

TEST(Global, of_squared_magnitude_is_lamp) {
  const Bench bench;
  const auto plan_by = [&](const char* name, const OptionValues& options, const char* compare) {
    auto request = bench.request(0.4);
    const auto scores = testing::criteria().make(name, options)->score_all(bench.groups, {bench.model});
    request.scores = scores;
    return plan_to_json(made("global", {{"compare", std::string(compare)}})->plan(request));
  };
  EXPECT_EQ(plan_by("magnitude", {{"norm", std::string("squares")}}, "survivors"),
            plan_by("lamp", {}, "as_scored"));
}

TEST(Greedy, prefers_what_frees_more_for_the_same_score) {
  Bench bench;
  for (std::size_t g = 0; g < bench.scores.size(); ++g)
    std::fill(bench.scores[g].begin(), bench.scores[g].end(), 1.0);
  // The first index of 'a' is a seventh of what its group keeps and frees 171 parameters, that of 'b' a 15th
  // for 360, that of 'c' a 31st for 180: 'b' and 'c' cost about the same, 'a' four times as much.
  const auto widths = widths_of(made("greedy")->plan(bench.request(0.7, 0.2)));
  EXPECT_EQ(widths[0], 8u);
  EXPECT_LT(widths[1], 16u);
  EXPECT_LT(widths[2], 32u);
}

TEST(Greedy, keeps_layers_of_equal_scores_in_balance) {
  Bench bench;
  for (auto& scores : bench.scores) std::fill(scores.begin(), scores.end(), 1.0);
  for (const double part : {0.5, 0.2, 0.1}) {
    const auto widths = widths_of(made("greedy", {{"keep_at_least", 0.0}})->plan(bench.request(part)));
    for (std::size_t g = 0; g < 3; ++g)
      EXPECT_GE(static_cast<double>(widths[g]) / static_cast<double>(bench.groups[g].size),
                0.4 * std::sqrt(part))
          << "group " << g << " at " << part;
  }
}

TEST(Greedy, never_empties_a_layer_whose_scores_are_low) {
  Bench bench;
  for (auto& score : bench.scores[2]) score *= 1e-6;
  const auto widths = widths_of(made("greedy", {{"keep_at_least", 0.0}})->plan(bench.request(0.3)));
  EXPECT_GT(widths[2], 4u) << "shares of a group do not depend on its scale";
}

TEST(Sensitivity, narrows_the_layer_whose_score_is_in_few_channels) {
  Bench bench;
  bench.scores[1] = Scores(16, 0.01);
  for (std::size_t i = 0; i < 4; ++i) bench.scores[1][i] = 5.0;
  bench.scores[0] = Scores(8, 1.0);
  bench.scores[2] = Scores(32, 1.0);
  const auto widths = widths_of(made("sensitivity")->plan(bench.request(0.4)));
  EXPECT_EQ(widths[1], 4u);
  EXPECT_GE(widths[0], 7u);
  EXPECT_GE(widths[2], 28u);
}

TEST(Hybrid, sparsifies_before_it_prunes) {
  const auto steps = made("hybrid", {{"sparsity", 0.9}, {"sparsify_epochs", std::int64_t{7}}})->schedule(12);
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].kind, Step::Kind::sparsify);
  EXPECT_EQ(steps[0].amount, 0.9);
  EXPECT_EQ(steps[0].epochs, 7);
  EXPECT_EQ(steps[1].kind, Step::Kind::prune);
  EXPECT_EQ(steps[1].epochs, 12);
}

TEST(Strategies, keep_a_fraction_of_the_unpruned_width_at_every_step) {
  const Bench bench;
  for (const auto& name : strategies().names()) {
    auto request = bench.request(0.4);
    request.unpruned = {16, 32, 64, 4};  // half was removed before
    const auto plan = made(name, {{"keep_at_least", 0.25}})->plan(request);
    for (const auto& group : plan.groups)
      EXPECT_GE(2 * group.kept.size(), static_cast<std::size_t>(group.size)) << name;
  }
}

TEST(Strategies, check_their_options) {
  for (const auto& name : strategies().names()) {
    EXPECT_THROW(made(name, {{"schedule", std::string("never")}}), Error);
    EXPECT_THROW(made(name, {{"steps", std::int64_t{0}}}), Error);
    EXPECT_THROW(made(name, {{"keep_at_least", 1.5}}), Error);
  }
  EXPECT_THROW(made("hybrid", {{"sparsity", 1.5}}), Error);
}

TEST(UnprunedWidths, are_found_by_name) {
  std::vector<PruningGroup> before(2), now(2);
  before[0].name = "a", before[0].size = 8;
  before[1].name = "b", before[1].size = 9;
  now[0].name = "b", now[0].size = 3;
  now[1].name = "new", now[1].size = 5;
  EXPECT_THAT(unpruned_widths(now, before), ElementsAre(9, 5));
}

}  // namespace
}  // namespace compress
