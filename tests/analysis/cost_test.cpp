#include "libcompress/analysis/cost.h"

#include <gtest/gtest.h>

#include "libcompress/analysis/groups.h"
#include "libcompress/analysis/shrink.h"
#include "tests/graph/builder.h"

namespace compress {
namespace {

using testing::Builder;
using Integers = std::vector<std::int64_t>;

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

TEST(Cost, prices_a_transposed_conv_like_a_conv) {
  Builder net({1, 4, 5, 5});
  const auto weight = net.graph.add_parameter("w", {4, 3, 2, 2}), bias = net.graph.add_parameter("b", {6});
  const auto up = net.graph.add_node("conv_transpose", "up", {net.input(), weight, bias},
                                     {{"stride", Integers{2, 2}}, {"groups", std::int64_t{2}}});
  const auto cost = cost_of(net.done(up));  // [1, 6, 10, 10]
  EXPECT_EQ(cost.params, 48 + 6);
  EXPECT_EQ(cost.macs, 25 * 48);
  EXPECT_EQ(cost.flash_bytes, 48 + 9 * 6);
  EXPECT_EQ(cost.peak_ram_bytes, 100 + 600);
}

TEST(Cost, counts_the_products_of_an_attention) {
  Builder net({1, 7, 16});  // seven tokens
  const auto queries = net.linear("q", net.input(), 8, false), keys = net.linear("k", net.input(), 8, false);
  const auto scores = net.graph.add_node("matmul", "scores", {queries, net.permute("turn", keys, {0, 2, 1})});
  const auto cost = cost_of(net.done(net.graph.add_node("matmul", "mixed", {scores, queries})));
  EXPECT_EQ(cost.macs, 2 * 7 * 16 * 8 + 7 * 7 * 8 + 7 * 8 * 7);
  EXPECT_EQ(cost.params, 2 * 16 * 8);
}

TEST(Cost, gives_every_constant_to_the_node_that_reads_it_first) {
  Builder net({1, 4, 6});
  const auto place = net.graph.add_parameter("place", {4, 6}), scale = net.graph.add_buffer("scale", {6});
  const auto placed = net.add("placed", net.input(), place);
  const auto cost = cost_of(net.done(net.graph.add_node("mul", "scaled", {placed, scale})));
  EXPECT_EQ(cost.params, 24) << "a buffer is not trained";
  EXPECT_EQ(cost.flash_bytes, 24 + 6);
  EXPECT_EQ(cost.nodes[0].params, 24);
  EXPECT_EQ(cost.nodes[1].params, 0);
}

TEST(Cost, a_constant_that_is_worked_on_takes_no_input_s_place) {
  Builder net({1, 10});
  const auto positive = net.relu("positive", net.graph.add_parameter("w", {4, 10}));
  const auto cost = cost_of(net.done(net.graph.add_node("linear", "fc", {net.input(), positive})));
  EXPECT_EQ(cost.peak_ram_bytes, 10 + 40 + 4);
  EXPECT_EQ(cost.flash_bytes, 40 + 9 * 4);
}

TEST(Cost, several_inputs_and_outputs_are_alive_at_once) {
  Builder net({1, 10});
  const auto other = net.graph.add_input("other", {1, 10});
  const auto sum = net.add("sum", net.input(), other);
  net.graph.set_outputs({sum, net.linear("fc", sum, 5, false)});
  EXPECT_EQ(cost_of(net.graph).peak_ram_bytes, 30);
}

TEST(Cost, resizing_and_norms_cost_operations_but_no_products) {
  Builder net({1, 3, 4, 4});
  const auto wide = net.graph.add_node("resize", "wide", {net.input()},
                                       {{"size", Integers{8, 8}}, {"mode", std::string("linear")}});
  const auto cost =
      cost_of(net.done(net.graph.add_node("group_norm", "norm", {wide}, {{"groups", std::int64_t{3}}})));
  EXPECT_EQ(cost.macs, 0);
  EXPECT_EQ(cost.nodes[0].other_ops, 3 * 64 * 4) << "two elements along each of two axes";
  EXPECT_EQ(cost.nodes[1].other_ops, 3 * 64 * 6);
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
