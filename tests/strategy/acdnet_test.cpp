// The reference model at full size: groups, budgets and the time they take.
#include <gmock/gmock.h>

#include <chrono>

#include "libcompress/analysis/cost.h"
#include "libcompress/base/random.h"
#include "libcompress/surgery/surgery.h"
#include "models/acdnet/network.h"
#include "plugins/criteria/criteria.h"
#include "plugins/strategies/strategies.h"

namespace compress {
namespace {

Model full_network() {
  Random random(5);
  Model model{"full", acdnet::network({}), {}, {}};
  for (const auto id : model.graph.parameters()) {
    const auto& value = model.graph.value(id);
    Tensor tensor(DType::float32, value.shape);
    for (auto& element : tensor.as<float>()) element = static_cast<float>(random.normal());
    model.weights[value.name] = std::move(tensor);
  }
  return model;
}

TEST(AcdNet, has_one_group_a_convolution_and_rows_only_where_chosen) {
  const auto graph = acdnet::network({});
  const auto pinned = find_groups(graph);
  const auto groups = find_groups(graph, {.spatial = {"conv2"}});
  ASSERT_EQ(groups.size(), 13u);
  EXPECT_FALSE(pinned[1].prunable);
  EXPECT_EQ(pinned[1].reason, "its channels become rows of the image that node 'conv3' reads");
  EXPECT_TRUE(groups[1].prunable) << groups[1].reason;
  EXPECT_TRUE(groups[1].spatial);
  EXPECT_EQ(groups[1].smallest, 1);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_TRUE(groups[i].prunable) << groups[i].name << groups[i].reason;
}

TEST(AcdNet, prunes_to_the_published_size_by_magnitude_in_less_than_a_second) {
  const auto model = full_network();
  const auto groups = find_groups(model.graph, {.spatial = {"conv2"}});
  Catalog<Criterion> criteria("criterion");
  register_magnitude(criteria);
  Catalog<Strategy> strategies("strategy");
  register_uniform(strategies);
  register_global(strategies);
  register_greedy(strategies);
  register_sensitivity(strategies);
  const auto scores = criteria.make("magnitude", {})->score_all(groups, {model});
  for (const auto& strategy : strategies.names()) {
    const auto start = std::chrono::steady_clock::now();
    const auto plan =
        strategies.make(strategy, {})->plan({model, groups, scores, {{{Resource::params, 131'644}}}, {}});
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    RecordProperty(strategy + "_ms", static_cast<int>(1000 * seconds));
#ifndef __SANITIZE_ADDRESS__  // which makes everything several times as slow
    EXPECT_LT(seconds, 1.0);
#endif
    const auto cost = cost_of(prune(model, groups, plan).graph);
    EXPECT_LE(cost.params, 131'644) << strategy;
    EXPECT_GE(cost.params, 130'986) << strategy;
  }
}

/// What a step costs besides training must be nothing beside an epoch, which is seconds.
TEST(AcdNet, a_step_of_a_hundred_is_scored_planned_and_cut_in_a_fraction_of_a_second) {
  auto model = full_network();
  const auto unpruned = find_groups(model.graph);
  const auto start_cost = cost_of(model.graph);
  const Budget goal{{{Resource::params, start_cost.params / 5}}};
  Catalog<Criterion> criteria("criterion");
  register_magnitude(criteria);
  Catalog<Strategy> strategies("strategy");
  register_global(strategies);
  const auto magnitude = criteria.make("magnitude", {});
  for (const auto* schedule : {"linear", "cubic", "one_group"}) {
    model = full_network();
    const auto strategy =
        strategies.make("global", {{"schedule", std::string(schedule)}, {"steps", std::int64_t{100}}});
    const auto start = std::chrono::steady_clock::now();
    for (const auto& step : strategy->schedule(100)) {
      const auto groups = find_groups(model.graph);
      const auto scores = magnitude->score_all(groups, {model});
      const auto budget = interpolate(start_cost, goal, step.amount);
      const auto plan =
          strategy->plan({model, groups, scores, budget, {}, unpruned_widths(groups, unpruned)});
      model = prune(model, groups, plan);
      ASSERT_LE(cost_of(model.graph).params, budget.bounds[0].amount) << schedule;
    }
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    RecordProperty(std::string(schedule) + "_ms_a_step", static_cast<int>(10 * seconds));
    EXPECT_LT(seconds / 100, 0.2) << schedule;
    EXPECT_GE(cost_of(model.graph).params, 0.995 * static_cast<double>(goal.bounds[0].amount)) << schedule;
  }
}

TEST(AcdNet, pruned_by_rows_is_the_network_built_from_the_new_widths) {
  const auto graph = acdnet::network({});
  const auto groups = find_groups(graph, {.spatial = {"conv2"}});
  acdnet::Layout published;
  published.channels = {7, 20, 10, 14, 22, 31, 35, 41, 51, 67, 69, 48};
  auto plan = full_plan(graph, groups);
  ASSERT_EQ(plan.groups.size(), 12u);
  for (std::size_t i = 0; i < 12; ++i)
    plan.groups[i].kept.resize(static_cast<std::size_t>(published.channels[i]));
  const auto small = pruned_graph(graph, groups, plan);
  const auto built = acdnet::network(published);
  EXPECT_EQ(cost_of(small).params, 131'474);
  EXPECT_EQ(cost_of(small).macs, cost_of(built).macs);
  for (const auto& node : built.nodes()) {
    const auto same = small.find_node(node.name);
    ASSERT_TRUE(same) << node.name;
    EXPECT_EQ(small.value(small.node(*same).output).shape, built.value(node.output).shape) << node.name;
  }
}

}  // namespace
}  // namespace compress
