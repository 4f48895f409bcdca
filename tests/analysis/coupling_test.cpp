#include "libcompress/analysis/coupling.h"

#include <gmock/gmock.h>

#include "libcompress/analysis/groups.h"
#include "libcompress/analysis/shrink.h"
#include "libcompress/base/error.h"
#include "tests/graph/builder.h"

namespace compress {
namespace {

using testing::Builder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// "conv1.weight:0" for every member, producer's first.
std::vector<std::string> axes_of(const Graph& graph, const PruningGroup& group) {
  std::vector<std::string> axes;
  for (const auto& member : group.members)
    axes.push_back(graph.value(member.axis.value).name + ":" + std::to_string(member.axis.dimension));
  return axes;
}

const PruningGroup& named(const std::vector<PruningGroup>& groups, std::string_view name) {
  for (const auto& group : groups) {
    if (group.name == name) return group;
  }
  throw std::runtime_error("no group " + std::string(name));
}

const GroupMember& member(const Graph& graph, const PruningGroup& group, std::string_view axis) {
  const auto axes = axes_of(graph, group);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] == axis) return group.members[i];
  }
  throw std::runtime_error("no member " + std::string(axis));
}

std::vector<std::string> names_of(const std::vector<PruningGroup>& groups) {
  std::vector<std::string> names;
  for (const auto& group : groups) names.push_back(group.name);
  return names;
}

TEST(Coupling, ties_a_chain_of_conv_norm_and_conv) {
  Builder net({1, 3, 8, 8});
  auto x = net.relu("r", net.batch_norm("bn", net.conv("a", net.input(), 4, {.bias = true})));
  const auto graph = net.done(net.conv("b", net.pool("max_pool", "p", x, {2, 2}), 5));
  const auto groups = find_groups(graph);
  ASSERT_THAT(names_of(groups), ElementsAre("a", "b"));
  EXPECT_TRUE(groups[0].prunable);
  EXPECT_EQ(groups[0].size, 4);
  EXPECT_THAT(axes_of(graph, groups[0]), ElementsAre("a.weight:0", "a.bias:0", "bn.weight:0", "bn.bias:0",
                                                     "bn.running_mean:0", "bn.running_var:0", "b.weight:1"));
  EXPECT_THAT(groups[0].members[6].indices.as_vectors(),
              ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2), ElementsAre(3)));
}

TEST(Coupling, pins_the_output_of_the_network) {
  Builder net({1, 3, 8, 8});
  const auto graph = net.done(net.conv("a", net.input(), 4));
  const auto groups = find_groups(graph);
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_FALSE(groups[0].prunable);
  EXPECT_EQ(groups[0].reason, "it is the network's output");
}

TEST(Coupling, ties_both_sides_of_a_residual) {
  Builder net({1, 3, 8, 8});
  const auto a = net.conv("a", net.input(), 4);
  const auto b = net.conv("b", net.relu("r", a), 4);
  const auto graph = net.done(net.conv("c", net.add("sum", a, b), 2));
  const auto groups = find_groups(graph);
  ASSERT_THAT(names_of(groups), ElementsAre("a", "c"));
  EXPECT_THAT(axes_of(graph, groups[0]), ElementsAre("a.weight:0", "b.weight:0", "b.weight:1", "c.weight:1"));
}

TEST(Coupling, pins_what_is_added_to_the_input) {
  Builder net({1, 3, 8, 8});
  const auto sum = net.add("sum", net.conv("a", net.input(), 3), net.input());
  const auto groups = find_groups(net.done(net.conv("b", sum, 2)));
  EXPECT_THAT(named(groups, "a").reason,
              HasSubstr("node 'sum' combines it with 'input', which cannot shrink there"));
}

TEST(Coupling, ties_concat_inputs_at_their_offsets) {
  Builder net({1, 3, 8, 8});
  const auto a = net.conv("a", net.input(), 2);
  const auto b = net.conv("b", net.input(), 3);
  const auto graph = net.done(net.conv("c", net.concat("join", {a, b}), 2));
  const auto groups = find_groups(graph);
  ASSERT_THAT(names_of(groups), ElementsAre("a", "b", "c"));
  EXPECT_THAT(member(graph, groups[0], "c.weight:1").indices.as_vectors(),
              ElementsAre(ElementsAre(0), ElementsAre(1)));
  EXPECT_THAT(member(graph, groups[1], "c.weight:1").indices.as_vectors(),
              ElementsAre(ElementsAre(2), ElementsAre(3), ElementsAre(4)));
}

TEST(Coupling, a_concat_with_the_input_pins_nothing_but_its_part) {
  Builder net({1, 3, 8, 8});
  const auto a = net.conv("a", net.input(), 2);
  const auto graph = net.done(net.conv("c", net.concat("join", {net.input(), a}), 2));
  const auto groups = find_groups(graph);
  EXPECT_TRUE(named(groups, "a").prunable);
  EXPECT_THAT(member(graph, named(groups, "a"), "c.weight:1").indices.as_vectors(),
              ElementsAre(ElementsAre(3), ElementsAre(4)));
}

TEST(Coupling, a_sum_over_a_concat_makes_groups_of_its_parts) {
  Builder net({1, 3, 8, 8});
  const auto a = net.conv("a", net.input(), 2);
  const auto b = net.conv("b", net.input(), 3);
  const auto c = net.conv("c", net.input(), 5);
  const auto graph = net.done(net.conv("d", net.add("sum", net.concat("join", {a, b}), c), 2));
  const auto groups = find_groups(graph);
  ASSERT_THAT(names_of(groups), ElementsAre("a", "b", "d"));
  EXPECT_THAT(member(graph, groups[1], "c.weight:0").indices.as_vectors(),
              ElementsAre(ElementsAre(2), ElementsAre(3), ElementsAre(4)));
}

TEST(Coupling, a_concat_of_rows_ties_the_channels) {
  Builder net({1, 3, 8, 8});
  const auto a = net.conv("a", net.input(), 4);
  const auto b = net.conv("b", net.input(), 4);
  const auto graph = net.done(net.conv("c", net.concat("join", {a, b}, 2), 2));
  EXPECT_THAT(axes_of(graph, named(find_groups(graph), "a")),
              ElementsAre("a.weight:0", "b.weight:0", "c.weight:1"));
}

TEST(Coupling, ties_depthwise_channels_in_and_out) {
  Builder net({1, 3, 8, 8});
  const auto deep = net.depthwise("d", net.conv("a", net.input(), 4), 2);
  const auto graph = net.done(net.conv("b", deep, 2));
  const auto groups = find_groups(graph);
  ASSERT_THAT(names_of(groups), ElementsAre("a", "b"));
  EXPECT_THAT(member(graph, groups[0], "d.weight:0").indices.as_vectors(),
              ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3), ElementsAre(4, 5), ElementsAre(6, 7)));
}

TEST(Coupling, a_depthwise_conv_over_the_input_keeps_its_width) {
  Builder net({1, 3, 8, 8});
  const auto groups = find_groups(net.done(net.conv("b", net.depthwise("d", net.input()), 2)));
  EXPECT_FALSE(named(groups, "d").prunable);
  EXPECT_THAT(named(groups, "d").reason, HasSubstr("data that nothing removes"));
}

TEST(Coupling, ties_one_index_in_all_groups_of_a_grouped_conv) {
  Builder net({1, 3, 8, 8});
  const auto g = net.conv("g", net.conv("a", net.input(), 6), 4, {.groups = 2});
  const auto graph = net.done(net.conv("b", g, 2));
  const auto groups = find_groups(graph);
  ASSERT_THAT(names_of(groups), ElementsAre("a", "g", "b"));
  EXPECT_EQ(groups[0].size, 3);
  EXPECT_THAT(groups[0].members[0].indices.as_vectors(),
              ElementsAre(ElementsAre(0, 3), ElementsAre(1, 4), ElementsAre(2, 5)));
  EXPECT_THAT(member(graph, groups[0], "g.weight:1").indices.as_vectors(),
              ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2)));
  EXPECT_THAT(groups[1].members[0].indices.as_vectors(), ElementsAre(ElementsAre(0, 2), ElementsAre(1, 3)));
}

TEST(Coupling, a_flatten_makes_blocks_of_features) {
  Builder net({1, 1, 2, 3});
  const auto flat = net.unary("flatten", "f", net.conv("a", net.input(), 2));
  const auto graph = net.done(net.linear("fc", flat, 4));
  const auto groups = find_groups(graph);
  EXPECT_THAT(member(graph, groups[0], "fc.weight:1").indices.as_vectors(),
              ElementsAre(ElementsAre(0, 1, 2, 3, 4, 5), ElementsAre(6, 7, 8, 9, 10, 11)));
}

TEST(Coupling, a_flatten_behind_a_permute_makes_strides_of_features) {
  Builder net({1, 1, 2, 3});
  const auto turned = net.permute("p", net.conv("a", net.input(), 2), {0, 2, 3, 1});
  const auto graph = net.done(net.linear("fc", net.unary("flatten", "f", turned), 4));
  EXPECT_THAT(member(graph, find_groups(graph)[0], "fc.weight:1").indices.as_vectors(),
              ElementsAre(ElementsAre(0, 2, 4, 6, 8, 10), ElementsAre(1, 3, 5, 7, 9, 11)));
}

TEST(Coupling, ties_linear_layers_in_a_row) {
  Builder net({1, 6});
  const auto graph = net.done(net.linear("b", net.relu("r", net.linear("a", net.input(), 4)), 3));
  EXPECT_THAT(axes_of(graph, find_groups(graph)[0]), ElementsAre("a.weight:0", "a.bias:0", "b.weight:1"));
}

TEST(Coupling, two_axes_of_one_value_are_prunable_at_once) {
  Builder net({1, 3, 4, 5});
  const auto mixed = net.linear("fc", net.conv("a", net.input(), 4), 6);
  const auto turned = net.permute("p", mixed, {0, 3, 2, 1});  // columns become channels, channels columns
  const auto last = net.linear("out", turned, 2);
  const auto graph = net.done(net.unary("flatten", "f", net.conv("c", last, 2)));
  const auto groups = find_groups(graph);
  EXPECT_THAT(axes_of(graph, named(groups, "a")), ElementsAre("a.weight:0", "out.weight:1"));
  EXPECT_THAT(axes_of(graph, named(groups, "fc")), ElementsAre("fc.weight:0", "fc.bias:0", "c.weight:1"));
}

TEST(Coupling, of_two_axes_that_a_flatten_joins_one_stays) {
  Builder net({1, 3, 4, 5});
  const auto mixed = net.linear("fc", net.conv("a", net.input(), 4), 6);
  const auto graph = net.done(net.linear("out", net.unary("flatten", "f", mixed), 2));
  const auto groups = find_groups(graph);
  EXPECT_NE(named(groups, "a").prunable, named(groups, "fc").prunable);
}

TEST(Coupling, pins_channels_that_a_softmax_sums) {
  Builder net({1, 3, 8, 8});
  const auto soft = net.unary("softmax", "s", net.conv("a", net.input(), 4));
  const auto groups = find_groups(net.done(net.conv("b", soft, 2)));
  EXPECT_EQ(named(groups, "a").reason, "the softmax 's' runs over it and needs every index");
}

TEST(Coupling, a_shared_weight_ties_both_places) {
  Builder net({1, 4, 8, 8});
  const auto a = net.conv("a", net.input(), 4);
  const auto weight = net.graph.add_parameter("shared", {4, 4, 1, 1});
  const auto first = net.graph.add_node("conv", "first", {a, weight});
  const auto second = net.graph.add_node("conv", "second", {net.relu("r", first), weight});
  const auto graph = net.done(net.conv("b", second, 2));
  const auto groups = find_groups(graph);
  EXPECT_THAT(axes_of(graph, named(groups, "a")),
              ElementsAre("a.weight:0", "shared:0", "shared:1", "b.weight:1"));
}

TEST(Coupling, channels_that_become_rows_are_pinned_with_the_reason) {
  Builder net({1, 1, 4, 20});
  auto x = net.relu(
      "r2", net.batch_norm("bn2", net.conv("conv2", net.input(), 8, {.kernel = {4, 3}, .padding = {0, 1}})));
  x = net.permute("turn", net.pool("max_pool", "pool2", x, {1, 2}), {0, 2, 1, 3});
  const auto graph = net.done(net.unary("global_avg_pool", "mean", net.conv("conv3", x, 5)));
  EXPECT_EQ(named(find_groups(graph), "conv2").reason,
            "its channels become rows of the image that node 'conv3' reads");
}

TEST(Coupling, channels_that_become_rows_may_go_where_the_recipe_says_so) {
  Builder net({1, 1, 4, 20});
  auto x = net.relu(
      "r2", net.batch_norm("bn2", net.conv("conv2", net.input(), 8, {.kernel = {4, 3}, .padding = {0, 1}})));
  x = net.permute("turn", net.pool("max_pool", "pool2", x, {1, 2}), {0, 2, 1, 3});
  const auto graph = net.done(net.unary("global_avg_pool", "mean", net.conv("conv3", x, 5)));
  const auto groups = find_groups(graph, {.spatial = {"conv2"}});
  const auto& group = named(groups, "conv2");
  EXPECT_TRUE(group.prunable) << group.reason;
  EXPECT_TRUE(group.spatial);
  EXPECT_EQ(group.smallest, 1);
  EXPECT_THAT(axes_of(graph, group), ElementsAre("conv2.weight:0", "bn2.weight:0", "bn2.bias:0",
                                                 "bn2.running_mean:0", "bn2.running_var:0"));
  EXPECT_FALSE(named(groups, "conv3").spatial);
}

TEST(Coupling, rows_stop_where_a_window_behind_would_not_fit) {
  Builder net({1, 1, 4, 20});
  auto x = net.permute("turn", net.conv("conv2", net.input(), 8, {.kernel = {4, 3}, .padding = {0, 1}}),
                       {0, 2, 1, 3});
  x = net.conv("conv3", x, 5, {.kernel = {5, 1}, .padding = {0, 0}});
  const auto graph = net.done(net.unary("global_avg_pool", "mean", x));
  EXPECT_EQ(named(find_groups(graph, {.spatial = {"conv2"}}), "conv2").smallest, 5);
}

TEST(Coupling, rows_that_a_flatten_counts_stay) {
  Builder net({1, 1, 4, 20});
  auto x = net.permute("turn", net.conv("conv2", net.input(), 8, {.kernel = {4, 3}, .padding = {0, 1}}),
                       {0, 2, 1, 3});
  x = net.unary("flatten", "flat", net.conv("conv3", x, 5));
  const auto groups = find_groups(net.done(net.linear("fc", x, 2)), {.spatial = {"conv2"}});
  EXPECT_FALSE(named(groups, "conv2").prunable);
  EXPECT_THAT(named(groups, "conv2").reason, HasSubstr("node 'fc'"));
}

TEST(Coupling, a_window_of_one_element_lets_rows_through) {
  Builder net({1, 1, 1, 20});
  auto x =
      net.permute("turn", net.conv("a", net.input(), 8, {.kernel = {1, 3}, .padding = {0, 1}}), {0, 2, 1, 3});
  x = net.conv("thin", x, 5, {.kernel = {1, 3}, .padding = {0, 1}});
  x = net.permute("back", x, {0, 2, 1, 3});
  const auto graph = net.done(net.conv("b", x, 2));
  const auto groups = find_groups(graph);
  EXPECT_THAT(axes_of(graph, named(groups, "a")), ElementsAre("a.weight:0", "b.weight:1"));
  EXPECT_FALSE(named(groups, "a").spatial);
  EXPECT_FALSE(named(groups, "thin").prunable);
}

TEST(Coupling, ignored_nodes_keep_their_width_and_say_by_which_pattern) {
  Builder net({1, 3, 8, 8});
  const auto a = net.conv("stem_a", net.input(), 4);
  const auto graph = net.done(net.conv("c", net.conv("b", a, 4), 2));
  const auto groups = find_groups(graph, {.ignore = {"stem_*"}});
  EXPECT_EQ(named(groups, "stem_a").reason, "ignored by the recipe (pattern 'stem_*')");
  EXPECT_TRUE(named(groups, "b").prunable);
}

TEST(Coupling, a_pattern_without_a_node_is_an_error_of_the_recipe) {
  Builder net({1, 3, 8, 8});
  const auto graph = net.done(net.conv("conv1", net.input(), 4));
  try {
    find_groups(graph, {.ignore = {"covn1"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::recipe);
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'conv1'?"));
  }
}

TEST(Coupling, a_single_channel_has_nothing_to_choose) {
  Builder net({1, 3, 8, 8});
  const auto groups = find_groups(net.done(net.conv("b", net.conv("a", net.input(), 1), 2)));
  EXPECT_FALSE(groups[0].prunable);
}

TEST(Coupling, parts_of_one_producer_get_numbered_names) {
  Builder net({1, 3, 8, 8});
  const auto a = net.conv("a", net.input(), 5);
  const auto sum =
      net.add("sum", a, net.concat("join", {net.conv("x", net.input(), 2), net.conv("y", net.input(), 3)}));
  const auto groups = find_groups(net.done(net.conv("b", sum, 2)));
  EXPECT_THAT(names_of(groups), ElementsAre("a", "a#2", "b"));
}

TEST(Globs, match_stars_and_question_marks) {
  EXPECT_TRUE(matches("conv*", "conv12"));
  EXPECT_TRUE(matches("*.a?c*", "x.abcde"));
  EXPECT_TRUE(matches("", ""));
  EXPECT_TRUE(matches("**", ""));
  EXPECT_FALSE(matches("conv?", "conv"));
  EXPECT_FALSE(matches("a*b", "abc"));
}

/// A removal of `indices` of `group`.
Removal removal(const PruningGroup& group, const std::vector<std::size_t>& indices) {
  Removal removed;
  for (const auto& each : group.members) {
    for (const auto index : indices)
      removed[each.axis].insert(removed[each.axis].end(), each.indices[index].begin(),
                                each.indices[index].end());
  }
  return removed;
}

TEST(Removal, is_refused_where_a_coupled_index_would_stay) {
  Builder net({1, 3, 8, 8});
  const auto graph = net.done(net.conv("b", net.conv("a", net.input(), 4), 2));
  auto removed = removal(find_groups(graph)[0], {1});
  removed.erase({*graph.find_value("b.weight"), 1});
  EXPECT_THROW(verify_removal(flow_ids(graph), graph, graph, removed), Error);
}

TEST(Removal, is_refused_where_the_small_graph_lost_other_elements) {
  Builder net({1, 3, 8, 8});
  const auto a = net.conv("a", net.input(), 4);
  const auto graph = net.done(net.conv("b", a, 2));
  const auto removed = removal(find_groups(graph)[0], {1});
  const auto wrong = graph.reshaped(
      {{*graph.find_value("a.weight"), {2, 3, 3, 3}}, {*graph.find_value("b.weight"), {2, 2, 3, 3}}}, {});
  EXPECT_THROW(verify_removal(flow_ids(graph), graph, wrong, removed), Error);
  const auto right = graph.reshaped(
      {{*graph.find_value("a.weight"), {3, 3, 3, 3}}, {*graph.find_value("b.weight"), {2, 3, 3, 3}}}, {});
  EXPECT_NO_THROW(verify_removal(flow_ids(graph), graph, right, removed));
}

TEST(Removal, is_refused_where_a_join_changed_its_order) {
  const auto build = [](bool swapped) {
    Builder other({1, 3, 8, 8});
    const auto a = other.conv("a", other.input(), 3);
    const auto b = other.conv("b", other.input(), 3);
    return other.done(
        other.conv("c", other.concat("join", swapped ? std::vector{b, a} : std::vector{a, b}), 2));
  };
  EXPECT_NO_THROW(verify_removal(flow_ids(build(false)), build(false), build(false), {}));
  EXPECT_THROW(verify_removal(flow_ids(build(false)), build(false), build(true), {}), Error);
}

}  // namespace
}  // namespace compress
