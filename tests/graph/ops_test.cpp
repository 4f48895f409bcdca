#include "libcompress/graph/op.h"

#include <gmock/gmock.h>

#include "libcompress/base/error.h"
#include "tests/graph/builder.h"
#include "tests/graph/remains.h"

namespace compress {
namespace {

using testing::Builder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename Action>
std::string complaint_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "no error";
}

TEST(Ops, every_row_says_in_a_line_what_it_does_and_how_it_is_pruned) {
  for (const auto& op : all_ops()) {
    for (const auto& line : {op.summary, op.pruning}) {
      EXPECT_THAT(line.size(), ::testing::AllOf(::testing::Gt(0u), ::testing::Le(140u))) << op.name;
      EXPECT_EQ(line.find('\n'), std::string::npos) << op.name;
    }
  }
}

TEST(Ops, conv_keeps_the_extent_with_padding_and_steps_by_stride) {
  Builder net({1, 3, 8, 10});
  EXPECT_THAT(net.shape(net.conv("a", net.input(), 5)), ElementsAre(1, 5, 8, 10));
  EXPECT_THAT(net.shape(net.conv("b", net.input(), 5, {.stride = {2, 3}})), ElementsAre(1, 5, 4, 4));
}

TEST(Ops, conv_takes_one_and_three_spatial_axes) {
  Builder one({1, 2, 9});
  EXPECT_THAT(one.shape(one.conv("a", one.input(), 4, {.kernel = {3}, .stride = {1}, .padding = {0}})),
              ElementsAre(1, 4, 7));
  Builder three({1, 2, 5, 5, 5});
  EXPECT_THAT(three.shape(three.conv("a", three.input(), 4,
                                     {.kernel = {3, 3, 3}, .stride = {1, 1, 1}, .padding = {1, 0, 1}})),
              ElementsAre(1, 4, 5, 3, 5));
}

TEST(Ops, a_conv_over_one_axis_needs_lists_of_one_element) {
  Builder net({1, 2, 9});
  const auto weight = net.graph.add_parameter("w", {4, 2, 3});
  EXPECT_THAT(complaint_of([&] { net.graph.add_node("conv", "c", {net.input(), weight}); }),
              HasSubstr("stride with 2 elements; allowed: 1"));
}

TEST(Ops, conv_refuses_groups_that_do_not_divide) {
  Builder net({1, 4, 5, 5});
  const auto weight = net.graph.add_parameter("w", {6, 1, 3, 3});
  EXPECT_THAT(complaint_of([&] {
                net.graph.add_node("conv", "odd", {net.input(), weight}, {{"groups", std::int64_t{3}}});
              }),
              HasSubstr("node 'odd': 3 groups for 4 input and 6 output channels"));
}

TEST(Ops, conv_refuses_a_weight_of_other_channels_and_a_bias_of_another_length) {
  Builder net({1, 4, 5, 5});
  const auto weight = net.graph.add_parameter("w", {6, 3, 3, 3});
  const auto good = net.graph.add_parameter("g", {6, 4, 3, 3});
  const auto bias = net.graph.add_parameter("b", {5});
  EXPECT_THAT(complaint_of([&] { net.graph.add_node("conv", "c", {net.input(), weight}); }),
              HasSubstr("[out, 4, kernel...]"));
  EXPECT_THAT(complaint_of([&] { net.graph.add_node("conv", "c", {net.input(), good, bias}); }),
              HasSubstr("bias [5]"));
}

TEST(Ops, a_window_larger_than_the_image_is_refused) {
  Builder net({1, 1, 2, 9});
  EXPECT_THAT(complaint_of([&] { net.conv("wide", net.input(), 1, {.padding = {0, 0}}); }),
              HasSubstr("a window of 3 over 2 elements"));
}

TEST(Ops, linear_works_on_the_last_axis) {
  Builder net({1, 2, 3, 8});
  EXPECT_THAT(net.shape(net.linear("fc", net.input(), 5)), ElementsAre(1, 2, 3, 5));
}

TEST(Ops, linear_refuses_other_features) {
  Builder net({1, 7});
  const auto weight = net.graph.add_parameter("w", {3, 8});
  EXPECT_THAT(complaint_of([&] { net.graph.add_node("linear", "fc", {net.input(), weight}); }),
              HasSubstr("weight [3, 8] for 7 features"));
}

TEST(Ops, pools_divide_the_extents) {
  Builder net({1, 4, 8, 9});
  EXPECT_THAT(net.shape(net.pool("max_pool", "m", net.input(), {2, 3})), ElementsAre(1, 4, 4, 3));
  EXPECT_THAT(net.shape(net.pool("avg_pool", "a", net.input(), {8, 2})), ElementsAre(1, 4, 1, 4));
  EXPECT_THAT(net.shape(net.unary("global_avg_pool", "g", net.input())), ElementsAre(1, 4, 1, 1));
}

TEST(Ops, a_pool_refuses_a_padding_as_large_as_its_window) {
  Builder net({1, 4, 8, 8});
  using Integers = std::vector<std::int64_t>;
  EXPECT_THAT(
      complaint_of([&] {
        net.graph.add_node(
            "max_pool", "m", {net.input()},
            {{"kernel", Integers{2, 2}}, {"stride", Integers{2, 2}}, {"padding", Integers{2, 0, 0, 0}}});
      }),
      HasSubstr("padding smaller than the kernel"));
}

TEST(Ops, permute_reorders_and_flatten_joins) {
  Builder net({1, 4, 8, 9});
  const auto turned = net.permute("p", net.input(), {0, 2, 1, 3});
  EXPECT_THAT(net.shape(turned), ElementsAre(1, 8, 4, 9));
  EXPECT_THAT(net.shape(net.unary("flatten", "f", turned)), ElementsAre(1, 288));
}

TEST(Ops, permute_refuses_a_doubled_axis) {
  Builder net({1, 4, 8, 9});
  EXPECT_THAT(complaint_of([&] { net.permute("p", net.input(), {0, 1, 1, 3}); }),
              HasSubstr("each axis once"));
}

TEST(Ops, concat_adds_extents_along_its_axis_only) {
  Builder net({1, 4, 8, 9});
  const auto wide = net.conv("c", net.input(), 3);
  EXPECT_THAT(net.shape(net.concat("j", {net.input(), wide})), ElementsAre(1, 7, 8, 9));
  EXPECT_THAT(complaint_of([&] { net.concat("k", {net.input(), wide}, 2); }), HasSubstr("but for axis 2"));
}

TEST(Ops, add_refuses_shapes_that_do_not_broadcast) {
  Builder net({1, 4, 8, 9});
  EXPECT_THAT(complaint_of([&] { net.add("s", net.input(), net.conv("c", net.input(), 3)); }),
              HasSubstr("extents that are equal or 1"));
}

TEST(Ops, softmax_refuses_an_axis_that_is_not_there) {
  Builder net({1, 4});
  EXPECT_THAT(
      complaint_of([&] { net.graph.add_node("softmax", "s", {net.input()}, {{"axis", std::int64_t{2}}}); }),
      HasSubstr("allowed: 0 to 1"));
}

TEST(Ops, an_unknown_operator_names_the_nearest_known_one) {
  Builder net({1, 4});
  EXPECT_THAT(complaint_of([&] { net.unary("sotfmax", "s", net.input()); }),
              HasSubstr("did you mean 'softmax'?"));
}

TEST(Ops, an_unknown_attribute_and_a_wrong_type_are_refused) {
  Builder net({1, 4});
  EXPECT_THAT(
      complaint_of([&] { net.graph.add_node("softmax", "s", {net.input()}, {{"axes", std::int64_t{1}}}); }),
      HasSubstr("attribute 'axes'"));
  EXPECT_THAT(complaint_of([&] { net.graph.add_node("softmax", "s", {net.input()}, {{"axis", 1.0}}); }),
              HasSubstr("of a wrong type"));
}

TEST(Ops, any_value_may_be_an_operand_but_running_statistics_are_buffers) {
  Builder net({1, 4});
  const auto weight = net.graph.add_parameter("w", {4});
  EXPECT_NO_THROW(net.graph.add_node("add", "a", {net.unary("relu", "r", weight), net.input()}));
  EXPECT_THAT(complaint_of([&] {
                net.graph.add_node("batch_norm", "b", {net.input(), weight, weight, weight, weight});
              }),
              HasSubstr("a buffer"));
}

TEST(Ops, costs_count_multiply_accumulates) {
  const auto& conv = find_op("conv", "");
  const Attributes attributes = checked_attributes(conv, "c", {{"groups", std::int64_t{2}}});
  const std::vector<Shape> inputs = {{1, 4, 6, 6}, {8, 2, 3, 3}};
  const OpCall call{"c", attributes, inputs};
  EXPECT_EQ(conv.cost(call, {1, 8, 4, 4}).macs, 8 * 4 * 4 * 2 * 9);
}

TEST(Ops, every_operator_has_a_coupling_rule) {
  for (const auto& op : all_ops()) EXPECT_TRUE(op.couple) << op.name;
}

using Integers = std::vector<std::int64_t>;
using testing::SaidRemains;

TEST(Literals, a_depthwise_conv_loses_groups_with_its_channels) {
  const SaidRemains left("conv", {{"groups", std::int64_t{4}}}, {{1, 4, 6, 6}, {8, 1, 3, 3}},
                         {{1, 3, 6, 6}, {6, 1, 3, 3}});
  EXPECT_EQ(left.resized().attributes.integer("groups"), 3);
}

TEST(Literals, a_pool_over_the_whole_extent_stays_one) {
  const SaidRemains left("avg_pool", {{"kernel", Integers{8, 4}}, {"stride", Integers{8, 4}}}, {{1, 4, 8, 8}},
                         {{1, 4, 5, 3}});
  EXPECT_THAT(left.resized().attributes.integers("kernel"), ElementsAre(5, 3));
  EXPECT_THAT(left.resized().attributes.integers("stride"), ElementsAre(5, 3));
}

}  // namespace
}  // namespace compress
