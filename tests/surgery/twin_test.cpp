// The oracle of pruning: the network with the removed indices zeroed must give what the pruned network gives.
#include <gtest/gtest.h>

#include <cmath>

#include "libcompress/runtime/executor.h"
#include "libcompress/surgery/surgery.h"
#include "tests/graph/builder.h"
#include "tests/surgery/plans.h"

namespace compress {
namespace {

using testing::Builder;

/// One wrong input column is a 4e-5 error, so the tolerance is far below that.
constexpr double kTolerance = 5e-6;

/// The largest difference of both outputs over the scale of the output.
double difference(const Model& pruned, const Model& twin, Random& random) {
  use_threads(1);  // these networks are too small for two
  constexpr std::int64_t batch = 2;
  Executor small(pruned), large(twin);
  std::vector<float> input(static_cast<std::size_t>(batch * small.input_size()));
  for (auto& element : input) element = static_cast<float>(random.normal());
  const auto a = small.run(input, batch);
  const auto b = large.run(input, batch);
  EXPECT_EQ(a.size(), b.size());
  double scale = 1e-6, worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    scale = std::max(scale, std::abs(static_cast<double>(b[i])));
    worst = std::max(worst, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return worst / scale;
}

void expect_equal_twins(const Graph& graph, Random& random, int plans) {
  const auto model = testing::with_random_weights(graph, random);
  const auto groups = find_groups(graph);
  for (int i = 0; i < plans; ++i) {
    const auto plan = testing::random_plan(graph, groups, random);
    EXPECT_LT(difference(prune(model, groups, plan), masked_twin(model, groups, plan), random), kTolerance)
        << to_text(graph) << to_text(plan);
  }
}

TEST(Twin, of_a_residual_network) {
  Builder net({1, 3, 8, 8});
  auto x = net.relu("r", net.batch_norm("n", net.conv("a", net.input(), 6)));
  x = net.add("s", x, net.batch_norm("m", net.conv("b", x, 6, {.bias = true})));
  x = net.unary("flatten", "f", net.pool("max_pool", "p", net.relu("q", x), {2, 2}));
  Random random(1);
  expect_equal_twins(net.done(net.linear("fc", x, 4)), random, 8);
}

TEST(Twin, of_a_dense_network_with_a_depthwise_conv) {
  Builder net({1, 3, 8, 8});
  const auto a = net.conv("a", net.input(), 4);
  const auto b = net.conv("b", a, 5);
  const auto joined = net.concat("j", {a, b, net.input()});
  const auto deep = net.relu("r", net.batch_norm("n", net.depthwise("d", net.conv("c", joined, 6), 2)));
  Random random(2);
  expect_equal_twins(
      net.done(net.unary("flatten", "f", net.unary("global_avg_pool", "g", net.conv("e", deep, 3)))), random,
      8);
}

TEST(Twin, of_a_grouped_conv) {
  Builder net({1, 3, 8, 8});
  const auto g = net.conv("g", net.conv("a", net.input(), 9, {.bias = true}), 6, {.groups = 3, .bias = true});
  Random random(3);
  expect_equal_twins(net.done(net.conv("b", net.relu("r", g), 2)), random, 8);
}

TEST(Twin, of_a_mixer_with_two_prunable_axes) {
  Builder net({1, 3, 4, 5});
  const auto mixed = net.linear("fc", net.conv("a", net.input(), 4), 6);
  const auto turned = net.permute("p", mixed, {0, 3, 2, 1});
  const auto last = net.linear("out", turned, 2);
  Random random(4);
  expect_equal_twins(net.done(net.unary("flatten", "f", net.conv("c", last, 2))), random, 8);
}

TEST(Twin, of_two_hundred_and_fifty_drawn_networks) {
  Random random(5);
  for (int i = 0; i < 250 && !::testing::Test::HasFailure(); ++i)
    expect_equal_twins(testing::random_graph(random), random, 1);
}

TEST(Twin, differs_where_one_column_is_wrong) {
  Builder net({1, 3, 8, 8});
  const auto model_graph = net.done(net.conv("b", net.relu("r", net.conv("a", net.input(), 6)), 4));
  Random random(6);
  const auto model = testing::with_random_weights(model_graph, random);
  const auto groups = find_groups(model_graph);
  const auto plan = testing::plan_keeping(model_graph, groups, {{"a", {0, 1, 2, 4, 5}}});
  auto pruned = prune(model, groups, plan);
  auto weight = pruned.weights.at("b.weight").as<float>();
  std::swap_ranges(weight.begin(), weight.begin() + 9, weight.begin() + 9);
  EXPECT_GT(difference(pruned, masked_twin(model, groups, plan), random), 10 * kTolerance);
}

/// A channel that becomes height has no exact twin; the oracle is the network built anew from the new channel
/// count.
TEST(Twin, of_channels_that_become_rows_is_the_network_built_with_fewer) {
  const auto build = [](std::int64_t rows, std::int64_t pooled) {
    Builder net({1, 1, 4, 20});
    auto x =
        net.batch_norm("bn2", net.conv("conv2", net.input(), rows, {.kernel = {4, 3}, .padding = {0, 1}}));
    x = net.permute("turn", net.pool("max_pool", "pool2", net.relu("r", x), {1, 2}), {0, 2, 1, 3});
    x = net.pool("max_pool", "pool3", net.conv("conv3", x, 5), {2, 2});
    return net.done(net.unary("flatten", "f", net.pool("avg_pool", "mean", x, {pooled, 5})));
  };
  Random random(7);
  const auto model = testing::with_random_weights(build(8, 4), random);
  const auto groups = find_groups(model.graph, {.spatial = {"conv2"}});
  const auto pruned =
      prune(model, groups, testing::plan_keeping(model.graph, groups, {{"conv2", {1, 2, 3, 6, 7}}}));
  const Model rebuilt{"rebuilt", build(5, 2), pruned.weights, {}};
  EXPECT_EQ(fingerprint(pruned.graph), fingerprint(rebuilt.graph));
  EXPECT_EQ(difference(pruned, rebuilt, random), 0.0);
}

}  // namespace
}  // namespace compress
