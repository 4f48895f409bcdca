#include "libcompress/analysis/cost.h"

#include <gtest/gtest.h>

#include "libcompress/analysis/groups.h"
#include "libcompress/analysis/shrink.h"
#include "tests/graph/builder.h"

namespace compress {
namespace {

using testing::Builder;

TEST(Cost, of_a_chain_is_what_a_hand_computes) {
  Builder net({1, 2, 6, 6});
  auto x = net.relu("r", net.batch_norm("bn", net.conv("c", net.input(), 4)));  // [1, 4, 6, 6]
  x = net.unary("flatten", "f", net.pool("max_pool", "p", x, {2, 2}));          // [1, 36]
  const auto cost = cost_of(net.done(net.linear("fc", x, 5)));
  EXPECT_EQ(cost.params, 4 * 2 * 9 + 4 + 4 + 5 * 36 + 5);
  EXPECT_EQ(cost.macs, 4 * 36 * 2 * 9 + 5 * 36);
  EXPECT_EQ(cost.other_ops, 2 * 144 + 144 + 36 * 4 + 5);
  EXPECT_EQ(cost.flash_bytes, 4 * 2 * 9 + 5 * 36 + 9 * (4 + 5));
  EXPECT_EQ(cost.peak_ram_bytes, 2 * 36 + 4 * 36)
      << "input and the first output; norm and relu lie in its place";
  ASSERT_EQ(cost.nodes.size(), 6u);
  EXPECT_EQ(cost.nodes[0].params, 72);
  EXPECT_EQ(cost.nodes[1].params, 8);
  EXPECT_EQ(cost.nodes[0].activation_bytes, 144);
}

TEST(Cost, holds_a_residual_alive) {
  Builder net({1, 1, 4, 4});
  const auto a = net.conv("a", net.input(), 2);
  const auto b = net.conv("b", a, 2);
  const auto cost = cost_of(net.done(net.add("sum", a, b)));
  EXPECT_EQ(cost.peak_ram_bytes, 3 * 32);
  std::int64_t most = 0;
  for (const auto& node : cost.nodes) most = std::max(most, node.ram_bytes);
  EXPECT_EQ(most, cost.peak_ram_bytes);
}

TEST(Cost, relu_of_a_value_that_is_read_again_needs_its_own_place) {
  Builder net({1, 1, 4, 4});
  const auto a = net.conv("a", net.input(), 2);
  const auto cost = cost_of(net.done(net.add("sum", a, net.relu("r", a))));
  EXPECT_EQ(cost.peak_ram_bytes, 3 * 32);
}

TEST(Cost, counts_a_shared_weight_once) {
  Builder net({1, 4, 4, 4});
  const auto weight = net.graph.add_parameter("w", {4, 4, 1, 1});
  const auto first = net.graph.add_node("conv", "first", {net.input(), weight});
  const auto cost = cost_of(net.done(net.graph.add_node("conv", "second", {first, weight})));
  EXPECT_EQ(cost.params, 16);
  EXPECT_EQ(cost.flash_bytes, 16 + 2 * 4 * 9) << "each place has its own biases and multipliers";
  EXPECT_EQ(cost.macs, 2 * 16 * 16);
}

TEST(Cost, a_norm_that_follows_no_weights_costs_flash) {
  Builder net({1, 3, 4, 4});
  const auto cost = cost_of(net.done(net.batch_norm("bn", net.input())));
  EXPECT_EQ(cost.flash_bytes, 3 + 3 * 9) << "a depthwise convolution of one weight a channel";
}

TEST(Cost, running_statistics_are_no_parameters) {
  Builder net({1, 3, 4, 4});
  EXPECT_EQ(cost_of(net.done(net.batch_norm("bn", net.input()))).params, 6);
}

TEST(Cost, depthwise_counts_one_channel_a_filter) {
  Builder net({1, 8, 5, 5});
  EXPECT_EQ(cost_of(net.done(net.depthwise("d", net.input()))).macs, 8 * 25 * 9);
}

TEST(Shrinker, predicts_the_extents_behind_every_group) {
  Builder net({1, 2, 6, 6});
  const auto x = net.unary("flatten", "f", net.depthwise("d", net.conv("c", net.input(), 4)));
  const auto graph = net.done(net.linear("fc", x, 5));
  const auto groups = find_groups(graph);
  ASSERT_EQ(groups.size(), 2u);
  const auto small = Shrinker(graph, groups).shrink({{0, 3}, all_indices(5)});
  EXPECT_EQ(small.shapes[index_of(*graph.find_value("c.weight"))], (Shape{2, 2, 3, 3}));
  EXPECT_EQ(small.shapes[index_of(*graph.find_value("fc.weight"))], (Shape{5, 72}));
  EXPECT_EQ(small.rewrites.at(*graph.find_node("d")).attributes.integer("groups"), 2);
  EXPECT_EQ(CostModel(graph).cost(small).macs, 2 * 36 * 18 + 2 * 36 * 9 + 5 * 72);
}

}  // namespace
}  // namespace compress
