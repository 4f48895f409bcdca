#include "libcompress/surgery/surgery.h"

#include <gmock/gmock.h>

#include "libcompress/base/error.h"
#include "tests/graph/builder.h"
#include "tests/surgery/plans.h"

namespace compress {
namespace {

using testing::Builder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::plan_keeping;

/// Weights that name their own position.
Model numbered(Graph graph) {
  Model model{"numbered", std::move(graph), {}, {{"origin", "test"}}};
  for (const auto id : model.graph.parameters()) {
    const auto& value = model.graph.value(id);
    Tensor tensor(DType::float32, value.shape);
    float next = 0;
    for (auto& element : tensor.as<float>()) element = next++;
    model.weights[value.name] = std::move(tensor);
  }
  return model;
}

TEST(Surgery, keeps_exactly_the_slices_of_the_plan) {
  Builder net({1, 1, 2, 2});
  const auto a = net.conv("a", net.input(), 3, {.kernel = {1, 1}, .padding = {0, 0}, .bias = true});
  const auto model = numbered(net.done(net.linear("fc", net.unary("flatten", "f", a), 2)));
  const auto groups = find_groups(model.graph);
  const auto small = prune(model, groups, plan_keeping(model.graph, groups, {{"a", {0, 2}}}));
  EXPECT_THAT(small.weights.at("a.weight").as<float>(), ElementsAre(0, 2));
  EXPECT_THAT(small.weights.at("a.bias").as<float>(), ElementsAre(0, 2));
  EXPECT_THAT(small.weights.at("fc.weight").as<float>(),
              ElementsAre(0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23));
  EXPECT_EQ(small.weights.at("fc.weight").shape(), (Shape{2, 8}));
  EXPECT_EQ(small.metadata.at("origin"), "test");
  EXPECT_EQ(model.weights.at("a.weight").shape(), (Shape{3, 1, 1, 1})) << "the given model stays";
}

TEST(Surgery, shares_no_bytes_with_the_given_model) {
  Builder net({1, 1, 2, 2});
  auto model = numbered(net.done(net.conv("b", net.conv("a", net.input(), 3), 2)));
  const auto groups = find_groups(model.graph);
  auto small = prune(model, groups, full_plan(model.graph, groups));
  small.weights.at("b.weight").as<float>()[0] = 77;
  EXPECT_EQ(model.weights.at("b.weight").as<float>()[0], 0);
}

TEST(Surgery, recomputes_the_groups_of_a_depthwise_conv) {
  Builder net({1, 2, 6, 6});
  const auto model =
      numbered(net.done(net.conv("b", net.depthwise("d", net.conv("a", net.input(), 4), 2), 2)));
  const auto groups = find_groups(model.graph);
  const auto small = prune(model, groups, plan_keeping(model.graph, groups, {{"a", {1, 3}}}));
  EXPECT_EQ(small.graph.node(*small.graph.find_node("d")).attributes.integer("groups"), 2);
  EXPECT_EQ(small.weights.at("d.weight").shape(), (Shape{4, 1, 3, 3}));
  EXPECT_EQ(small.weights.at("d.weight").as<float>()[0], 2 * 9);
}

TEST(Surgery, a_depthwise_conv_may_come_down_to_one_channel) {
  Builder net({1, 2, 6, 6});
  const auto model =
      numbered(net.done(net.conv("b", net.depthwise("d", net.conv("a", net.input(), 4), 2), 2)));
  const auto groups = find_groups(model.graph);
  EXPECT_NO_THROW(prune(model, groups, plan_keeping(model.graph, groups, {{"a", {2}}})));
}

TEST(Surgery, a_grouped_conv_keeps_its_groups_and_equal_counts) {
  Builder net({1, 2, 6, 6});
  const auto g = net.conv("g", net.conv("a", net.input(), 6), 4, {.groups = 2});
  const auto model = numbered(net.done(net.conv("b", g, 2)));
  const auto groups = find_groups(model.graph);
  const auto small = prune(model, groups, plan_keeping(model.graph, groups, {{"a", {2}}, {"g", {0}}}));
  EXPECT_EQ(small.graph.node(*small.graph.find_node("g")).attributes.integer("groups"), 2);
  EXPECT_EQ(small.weights.at("g.weight").shape(), (Shape{2, 1, 3, 3}));
  EXPECT_EQ(small.weights.at("a.weight").shape(), (Shape{2, 2, 3, 3}));
  EXPECT_EQ(small.weights.at("a.weight").as<float>()[0], 2 * 18);
  EXPECT_EQ(small.weights.at("a.weight").as<float>()[18], 5 * 18);
}

TEST(Surgery, rows_follow_channels_through_a_permute) {
  Builder net({1, 1, 4, 20});
  auto x = net.batch_norm("bn2", net.conv("conv2", net.input(), 8, {.kernel = {4, 3}, .padding = {0, 1}}));
  x = net.conv("conv3", net.permute("turn", net.pool("max_pool", "pool2", x, {1, 2}), {0, 2, 1, 3}), 5);
  x = net.pool("avg_pool", "mean", net.pool("max_pool", "pool3", x, {2, 2}), {4, 5});
  const auto model = numbered(net.done(net.unary("flatten", "f", x)));
  const auto groups = find_groups(model.graph, {.spatial = {"conv2"}});
  const auto small = prune(model, groups, plan_keeping(model.graph, groups, {{"conv2", {0, 1, 4, 5, 6}}}));
  const auto& graph = small.graph;
  EXPECT_EQ(graph.value(*graph.find_value("conv3")).shape, (Shape{1, 5, 5, 10}));
  EXPECT_EQ(graph.node(*graph.find_node("pool3")).attributes.integers("kernel"),
            (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(graph.node(*graph.find_node("mean")).attributes.integers("kernel"),
            (std::vector<std::int64_t>{2, 5}));
  EXPECT_EQ(graph.value(graph.outputs()[0]).shape, (Shape{1, 5}));
  EXPECT_EQ(small.weights.at("conv3.weight").shape(), model.weights.at("conv3.weight").shape());
}

TEST(Surgery, the_graph_of_the_plan_is_the_graph_of_the_model) {
  Random random(11);
  for (int i = 0; i < 20; ++i) {
    const auto model = testing::with_random_weights(testing::random_graph(random), random);
    const auto groups = find_groups(model.graph);
    const auto plan = testing::random_plan(model.graph, groups, random);
    EXPECT_EQ(fingerprint(pruned_graph(model.graph, groups, plan)),
              fingerprint(prune(model, groups, plan).graph));
  }
}

TEST(Surgery, refuses_a_plan_for_another_graph) {
  Builder one({1, 2, 6, 6}), two({1, 2, 6, 6});
  const auto first = numbered(one.done(one.conv("b", one.conv("a", one.input(), 4), 2)));
  const auto second = numbered(two.done(two.conv("b", two.conv("a", two.input(), 5), 2)));
  const auto groups = find_groups(first.graph);
  const auto plan = full_plan(second.graph, find_groups(second.graph));
  try {
    prune(first, groups, plan);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), HasSubstr("made for graph"));
  }
}

void swap_first_two(IndexLists& lists) {
  auto swapped = lists.as_vectors();
  std::swap(swapped[0], swapped[1]);
  lists = IndexLists(swapped);
}

TEST(Surgery, refuses_groups_that_leave_out_a_coupled_axis) {
  Builder net({1, 2, 6, 6});
  const auto graph = net.done(net.conv("c", net.batch_norm("bn", net.conv("a", net.input(), 4)), 2));
  auto groups = find_groups(graph);
  for (auto& member : groups[0].members) swap_first_two(member.indices);
  EXPECT_NO_THROW(pruned_graph(graph, groups, plan_keeping(graph, groups, {{"a", {0, 2}}})))
      << "all swapped alike";
  swap_first_two(groups[0].members[1].indices);
  EXPECT_THROW(pruned_graph(graph, groups, plan_keeping(graph, groups, {{"a", {0, 2}}})), Error);
}

TEST(MaskedTwin, zeroes_coupled_slices_and_keeps_statistics) {
  Builder net({1, 1, 2, 2});
  const auto bn = net.batch_norm("bn", net.conv("a", net.input(), 2, {.kernel = {1, 1}, .padding = {0, 0}}));
  auto model = numbered(net.done(net.conv("b", bn, 2, {.kernel = {1, 1}, .padding = {0, 0}})));
  for (auto& [name, tensor] : model.weights) {
    for (auto& element : tensor.as<float>()) element += 1;
  }
  const auto groups = find_groups(model.graph);
  const auto twin = masked_twin(model, groups, plan_keeping(model.graph, groups, {{"a", {1}}}));
  EXPECT_THAT(twin.weights.at("a.weight").as<float>(), ElementsAre(0, 2));
  EXPECT_THAT(twin.weights.at("bn.weight").as<float>(), ElementsAre(0, 2));
  EXPECT_THAT(twin.weights.at("bn.bias").as<float>(), ElementsAre(0, 2));
  EXPECT_THAT(twin.weights.at("bn.running_var").as<float>(), ElementsAre(1, 2));
  EXPECT_THAT(twin.weights.at("b.weight").as<float>(), ElementsAre(0, 2, 0, 4));
}

}  // namespace
}  // namespace compress
