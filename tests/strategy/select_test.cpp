#include <gmock/gmock.h>

#include <set>

#include "libcompress/base/error.h"
#include "libcompress/strategy/select.h"
#include "libcompress/surgery/surgery.h"
#include "plugins/strategies/strategies.h"
#include "tests/graph/builder.h"
#include "tests/strategy/all_strategies.h"

namespace compress {
namespace {

using ::testing::AllOf;
using testing::Builder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::strategies;

/// A model with drawn scores.
struct Bench {
  Model model;
  std::vector<PruningGroup> groups;
  std::vector<Scores> scores;

  explicit Bench(Graph graph, const GroupOptions& options = {}) {
    Random random(9);
    model = testing::with_random_weights(std::move(graph), random);
    groups = find_groups(model.graph, options);
    for (const auto& group : groups) {
      Scores drawn;
      for (std::int64_t i = 0; i < group.size; ++i) drawn.push_back(random.uniform(0.1, 2.0));
      scores.push_back(drawn);
    }
  }

  PlanRequest request(std::vector<Bound> bounds, WidthLimits limits = {},
                      double tolerance = Budget{}.tolerance) const {
    return {model, groups, scores, {std::move(bounds), tolerance}, limits};
  }
  NetworkCost cost(const PruningPlan& plan) const { return cost_of(pruned_graph(model.graph, groups, plan)); }
};

Graph chain() {
  Builder net({1, 3, 16, 16});
  auto x = net.relu("r1", net.batch_norm("n1", net.conv("a", net.input(), 32)));
  x = net.pool("max_pool", "p", net.relu("r2", net.conv("b", x, 64, {.bias = true})), {2, 2});
  x = net.conv("c", x, 64);
  return net.done(net.linear("fc", net.unary("flatten", "f", net.unary("global_avg_pool", "g", x)), 10));
}

std::int64_t part(std::int64_t whole, double fraction) {
  return static_cast<std::int64_t>(static_cast<double>(whole) * fraction);
}

/// Every strategy, with no limits but the request's.
class EverySelection : public ::testing::TestWithParam<std::string> {
 protected:
  static PruningPlan choose(const PlanRequest& request) {
    return strategies().make(GetParam(), {{"keep_at_least", 0.0}})->plan(request);
  }
};

TEST_P(EverySelection, lands_within_half_a_percent_of_every_kind_of_bound) {
  const Bench bench(chain());
  const auto start = cost_of(bench.model.graph);
  for (const auto resource :
       {Resource::params, Resource::flash_bytes, Resource::macs, Resource::peak_ram_bytes}) {
    for (const double fraction : {0.7, 0.4, 0.2}) {
      const auto amount = part(amount_of(resource, start), fraction);
      // Peak RAM moves by whole rows of channels: 1 of 50 is 2 %.
      const double tolerance = resource == Resource::peak_ram_bytes ? 0.1 : 0.005;
      const auto plan = choose(bench.request({{resource, amount}}, {}, tolerance));
      const auto reached = amount_of(resource, bench.cost(plan));
      EXPECT_LE(reached, amount) << name_of(resource) << " " << fraction;
      EXPECT_GE(reached, part(amount, 1.0 - tolerance)) << name_of(resource) << " " << fraction;
    }
  }
}

TEST_P(EverySelection, holds_several_bounds_at_once) {
  const Bench bench(chain());
  const auto start = cost_of(bench.model.graph);
  const std::vector<Bound> bounds = {{Resource::params, part(start.params, 0.5)},
                                     {Resource::macs, part(start.macs, 0.2)}};
  const auto cost = bench.cost(choose(bench.request(bounds)));
  EXPECT_LE(cost.params, bounds[0].amount);
  EXPECT_LE(cost.macs, bounds[1].amount);
  EXPECT_GE(cost.macs, part(bounds[1].amount, 0.995));
}

TEST_P(EverySelection, keeps_a_network_that_already_fits) {
  const Bench bench(chain());
  const auto plan = choose(bench.request({{Resource::params, 10'000'000}}));
  EXPECT_EQ(plan_to_json(plan), plan_to_json(full_plan(bench.model.graph, bench.groups)));
}

TEST_P(EverySelection, keeps_multiples_of_round_to) {
  const Bench bench(chain());
  const auto amount = part(cost_of(bench.model.graph).params, 0.5);
  const auto plan = choose(bench.request({{Resource::params, amount}}, {.round_to = 8}, 0.05));
  for (const auto& group : plan.groups) EXPECT_EQ(group.kept.size() % 8, 0u) << group.group;
}

TEST_P(EverySelection, keeps_the_least_width) {
  const Bench bench(chain());
  const auto amount = part(cost_of(bench.model.graph).params, 0.3);
  const auto plan = choose(bench.request({{Resource::params, amount}}, {.min_channels = 20}));
  for (const auto& group : plan.groups) EXPECT_GE(group.kept.size(), 20u) << group.group;
}

TEST_P(EverySelection, keeps_the_ratios) {
  const Bench bench(chain());
  const auto amount = part(cost_of(bench.model.graph).params, 0.4);
  WidthLimits limits;
  limits.ratios = {{"a", 0.5}, {"c", 1.0}};
  const auto plan = choose(bench.request({{Resource::params, amount}}, limits, 0.02));
  EXPECT_EQ(plan.groups[0].kept.size(), 16u);
  EXPECT_LT(plan.groups[1].kept.size(), 40u);
  EXPECT_EQ(plan.groups[2].kept.size(), 64u);
}

TEST_P(EverySelection, keeps_the_ratios_of_a_network_that_already_fits) {
  const Bench bench(chain());
  WidthLimits limits;
  limits.ratios = {{"*", 0.75}, {"a", 0.5}};
  const auto plan = choose(bench.request({{Resource::params, 10'000'000}}, limits));
  EXPECT_EQ(plan.groups[0].kept.size(), 16u) << "the last pattern counts";
  EXPECT_EQ(plan.groups[1].kept.size(), 48u);
}

TEST_P(EverySelection, a_budget_that_the_ratios_hold_off_says_so) {
  const Bench bench(chain());
  WidthLimits limits;
  limits.ratios = {{"b", 1.0}, {"c", 1.0}};
  try {
    choose(bench.request({{Resource::params, 3000}}, limits));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::budget);
    EXPECT_THAT(error.what(), HasSubstr("the ratios hold it"));
  }
}

TEST_P(EverySelection, refuses_a_ratio_of_no_group) {
  const Bench bench(chain(), {.ignore = {"c"}});
  const auto complaint = [&](const std::string& pattern) -> std::string {
    WidthLimits limits;
    limits.ratios = {{pattern, 0.5}};
    try {
      choose(bench.request({{Resource::params, 20000}}, limits));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::recipe);
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(complaint("aa"), HasSubstr("matches no group"));
  EXPECT_THAT(complaint("c"), HasSubstr("matches only what stays: ignored"));
}

TEST_P(EverySelection, keeps_the_best_scored_indices_of_each_group) {
  const Bench bench(chain());
  const auto plan = choose(bench.request({{Resource::params, part(cost_of(bench.model.graph).params, 0.4)}}));
  for (std::size_t g = 0; g < plan.groups.size(); ++g) {
    const std::set<std::int64_t> kept(plan.groups[g].kept.begin(), plan.groups[g].kept.end());
    double least_kept = 1e9, most_removed = -1e9;
    for (std::int64_t i = 0; i < plan.groups[g].size; ++i) {
      const auto score = bench.scores[g][static_cast<std::size_t>(i)];
      if (kept.contains(i))
        least_kept = std::min(least_kept, score);
      else
        most_removed = std::max(most_removed, score);
    }
    EXPECT_GE(least_kept, most_removed) << plan.groups[g].group;
  }
}

TEST_P(EverySelection, an_unreachable_budget_names_what_can_be_reached_and_what_holds_it) {
  const Bench bench(chain());
  const auto complaint = [&](WidthLimits limits) -> std::string {
    try {
      choose(bench.request({{Resource::params, 300}}, limits));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::budget);
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(
      complaint({.min_channels = 8}),
      AllOf(HasSubstr("budget on params: 300"), HasSubstr("min_channels 8 holds it"), HasSubstr("or more")));
  EXPECT_THAT(complaint({.round_to = 8}), HasSubstr("round_to 8 holds it"));
  EXPECT_THAT(complaint({.min_fraction = 0.5}), HasSubstr("the least fraction 0.5"));
}

TEST_P(EverySelection, an_unreachable_budget_names_the_ignored_groups) {
  const Bench bench(chain(), {.ignore = {"b", "c"}});
  try {
    choose(bench.request({{Resource::params, 3000}}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::budget);
    EXPECT_THAT(error.what(), HasSubstr("ignored are b, c"));
  }
}

TEST_P(EverySelection, a_budget_between_two_steps_names_the_nearest_value) {
  Builder net({1, 1, 4, 4});
  const Bench bench(net.done(net.conv("b", net.conv("a", net.input(), 4), 8)));
  try {
    choose(bench.request({{Resource::params, 200}}));  // 81 parameters a channel
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::budget);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("the granularity of whole channels"), HasSubstr("162")));
  }
}

TEST_P(EverySelection, refuses_scores_that_are_not_finite) {
  Bench bench(chain());
  bench.scores[0][3] = std::nan("");
  try {
    choose(bench.request({{Resource::params, 20000}}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::plugin);
  }
}

INSTANTIATE_TEST_SUITE_P(Select, EverySelection, ::testing::ValuesIn(strategies().names()),
                         [](const auto& chosen) { return chosen.param; });

TEST(SelectGlobally, takes_from_the_group_that_matters_least) {
  Bench bench(chain());
  for (auto& score : bench.scores[0]) score = 5.0;
  for (std::size_t i = 0; i < bench.scores[1].size(); ++i) bench.scores[1][i] = i < 32 ? 0.01 : 5.0;
  const auto cost = cost_of(bench.model.graph);
  const auto plan = select_globally(bench.request({{Resource::params, part(cost.params, 0.75)}}));
  EXPECT_EQ(plan.groups[0].kept.size(), 32u);
  EXPECT_LT(plan.groups[1].kept.size(), 64u);
  EXPECT_GE(plan.groups[1].kept.size(), 32u);
}

TEST(SelectGlobally, does_not_care_about_the_scale_of_a_groups_scores) {
  Bench bench(chain());
  const auto request = bench.request({{Resource::params, part(cost_of(bench.model.graph).params, 0.4)}});
  const auto before = plan_to_json(select_globally(request));
  for (auto& score : bench.scores[1]) score *= 1000.0;
  EXPECT_EQ(plan_to_json(select_globally(bench.request(request.budget.bounds))), before);
}

TEST(SelectUniformly, keeps_about_the_same_fraction_everywhere) {
  const Bench bench(chain());
  const auto plan =
      select_uniformly(bench.request({{Resource::params, part(cost_of(bench.model.graph).params, 0.3)}}));
  std::vector<double> fractions;
  for (const auto& group : plan.groups)
    fractions.push_back(static_cast<double>(group.kept.size()) / static_cast<double>(group.size));
  const auto [least, most] = std::minmax_element(fractions.begin(), fractions.end());
  EXPECT_LT(*most - *least, 0.12);
}

TEST(Interpolate, goes_in_a_line_from_the_start_to_the_budget) {
  NetworkCost start;
  start.params = 1'000'000;
  start.macs = 50;
  const Budget budget{{{Resource::params, 10'000}, {Resource::macs, 100}}, 0.02};
  const auto half = interpolate(start, budget, 0.5);
  EXPECT_EQ(half.bounds[0].amount, 505'000);
  EXPECT_EQ(half.bounds[1].amount, 100) << "holds already";
  EXPECT_EQ(interpolate(start, budget, 1.0).bounds[0].amount, 10'000);
  EXPECT_EQ(half.tolerance, 1.0) << "on the way holding it is enough";
  EXPECT_EQ(interpolate(start, budget, 1.0).tolerance, 0.02);
}

}  // namespace
}  // namespace compress
