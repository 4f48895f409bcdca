// What shapes the operators make, and what they say where their inputs do not fit.
#include <gmock/gmock.h>

#include "libcompress/base/error.h"
#include "libcompress/graph/op.h"

namespace compress {
namespace {

using Integers = std::vector<std::int64_t>;
using testing::HasSubstr;

Integers pads(std::size_t rank, std::int64_t each) { return Integers(2 * rank, each); }

Shape shape_of(const std::string& name, const std::vector<Shape>& inputs, const Attributes& given = {}) {
  const auto& op = find_op(name, "node");
  const auto attributes = checked_attributes(op, "node", given);
  return op.shape({"node", attributes, inputs});
}

std::string complaint_about(const std::string& name, const std::vector<Shape>& inputs,
                            const Attributes& given = {}) {
  try {
    return to_string(shape_of(name, inputs, given));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
}

Cost cost_of(const std::string& name, const std::vector<Shape>& inputs, const Attributes& given = {}) {
  const auto& op = find_op(name, "node");
  const auto attributes = checked_attributes(op, "node", given);
  const OpCall call{"node", attributes, inputs};
  return op.cost(call, op.shape(call));
}

TEST(Shapes, conv_transpose_widens_by_stride_and_loses_its_padding) {
  const std::vector<Shape> inputs = {{1, 4, 5, 5}, {4, 3, 4, 3}, {6}};
  const Attributes attributes{{"stride", Integers{2, 3}},
                              {"padding", Integers{1, 0, 1, 0}},
                              {"output_padding", Integers{1, 2}},
                              {"groups", std::int64_t{2}}};
  EXPECT_EQ(shape_of("conv_transpose", inputs, attributes), (Shape{1, 6, 11, 17}));
  EXPECT_EQ(shape_of("conv_transpose", {{1, 4, 5}, {4, 3, 2}}), (Shape{1, 3, 6}));
  EXPECT_EQ(cost_of("conv_transpose", inputs, attributes).macs, 25 * 4 * 3 * 12);
}

TEST(Shapes, conv_transpose_refuses_what_does_not_fit) {
  EXPECT_THAT(complaint_about("conv_transpose", {{1, 4, 5}, {3, 2, 2}}),
              HasSubstr("weight [3, 2, 2] for 4 input"));
  EXPECT_THAT(complaint_about("conv_transpose", {{1, 4, 5}, {4, 2, 2}, {3}}), HasSubstr("bias [3]"));
  EXPECT_THAT(complaint_about("conv_transpose", {{1, 4, 5}, {4, 2, 2}}, {{"padding", Integers{3, 3}}}),
              HasSubstr("what leaves something"));
  EXPECT_THAT(complaint_about("conv_transpose", {{1, 4, 5}, {4, 2, 2}}, {{"output_padding", Integers{1}}}),
              HasSubstr("output_padding below stride or dilation"));
}

TEST(Shapes, matmul_broadcasts_the_axes_before_its_matrices) {
  EXPECT_EQ(shape_of("matmul", {{2, 1, 4, 5}, {3, 5, 7}}), (Shape{2, 3, 4, 7}));
  EXPECT_EQ(cost_of("matmul", {{2, 1, 4, 5}, {3, 5, 7}}).macs, 2 * 3 * 4 * 7 * 5);
  EXPECT_THAT(complaint_about("matmul", {{2, 4, 5}, {4, 5}}), HasSubstr("[..., M, K] and [..., K, N]"));
  EXPECT_THAT(complaint_about("matmul", {{5}, {5, 2}}), HasSubstr("rank 2 or more"));
}

TEST(Shapes, norms_know_the_extents_of_their_parameters) {
  EXPECT_EQ(shape_of("layer_norm", {{1, 4, 5}, {4, 5}, {4, 5}}, {{"axis", std::int64_t{1}}}),
            (Shape{1, 4, 5}));
  EXPECT_THAT(complaint_about("layer_norm", {{1, 4, 5}, {4}}, {{"axis", std::int64_t{2}}}),
              HasSubstr("parameter 1 of shape [4]; allowed: [5]"));
  EXPECT_THAT(complaint_about("layer_norm", {{1, 4, 5}}, {{"axis", std::int64_t{3}}}), HasSubstr("axis 3"));
  EXPECT_THAT(complaint_about("group_norm", {{1, 6, 5}}, {{"groups", std::int64_t{4}}}),
              HasSubstr("4 groups for 6 channels"));
  EXPECT_THAT(complaint_about("instance_norm", {{1, 6, 5}, {5}}), HasSubstr("allowed: [6]"));
}

TEST(Shapes, two_values_broadcast_from_the_right) {
  EXPECT_EQ(shape_of("add", {{2, 1, 4}, {3, 1}}), (Shape{2, 3, 4}));
  EXPECT_EQ(shape_of("mul", {{}, {3, 1}}), (Shape{3, 1}));
  EXPECT_EQ(shape_of("div", {{}, {}}), Shape{});
  EXPECT_THAT(complaint_about("pow", {{2, 3}, {2}}), HasSubstr("shapes [2, 3] and [2]"));
  EXPECT_THAT(complaint_about("prelu", {{1, 3, 4}, {2, 1, 3, 4}}),
              HasSubstr("a slope of shape [2, 1, 3, 4]"));
  EXPECT_THAT(complaint_about("clip", {{1}}, {{"min", 2.0}, {"max", 1.0}}), HasSubstr("min not above max"));
}

TEST(Shapes, the_last_window_of_a_ceiling_pool_starts_inside) {
  const auto pooled = [](std::int64_t extent, std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
    return shape_of("max_pool", {{1, 1, extent}},
                    {{"kernel", Integers{kernel}},
                     {"stride", Integers{stride}},
                     {"padding", Integers{pad, pad}},
                     {"ceil", true}})
        .back();
  };
  EXPECT_EQ(pooled(6, 3, 2, 0), 3);
  EXPECT_EQ(pooled(7, 3, 2, 0), 3);
  EXPECT_EQ(pooled(4, 2, 3, 0), 2);
  EXPECT_EQ(pooled(3, 2, 4, 1), 1) << "a window behind the end would see padding alone";
  EXPECT_EQ(pooled(2, 1, 3, 0), 1);
}

TEST(Shapes, a_dilated_pool_spans_more) {
  EXPECT_EQ(shape_of("max_pool", {{1, 2, 9}},
                     {{"kernel", Integers{3}},
                      {"stride", Integers{1}},
                      {"padding", Integers{}},
                      {"dilation", Integers{3}}}),
            (Shape{1, 2, 3}));
  EXPECT_THAT(complaint_about("max_pool", {{1, 2, 6}},
                              {{"kernel", Integers{3}},
                               {"stride", Integers{1}},
                               {"padding", Integers{}},
                               {"dilation", Integers{3}}}),
              HasSubstr("a window of 7 over 6 elements"));
}

TEST(Shapes, pools_of_whole_images_keep_the_rank) {
  EXPECT_EQ(shape_of("global_max_pool", {{1, 3, 4, 5, 6}}), (Shape{1, 3, 1, 1, 1}));
  EXPECT_EQ(shape_of("adaptive_avg_pool", {{1, 3, 4, 5}}, {{"size", Integers{7, 2}}}), (Shape{1, 3, 7, 2}));
  EXPECT_THAT(complaint_about("adaptive_max_pool", {{1, 3, 4}}, {{"size", Integers{0}}}),
              HasSubstr("size holds 0"));
  EXPECT_THAT(complaint_about("global_avg_pool", {{1, 3}}), HasSubstr("rank 3 or more"));
}

TEST(Shapes, reductions_drop_their_axes_or_keep_them_as_one) {
  EXPECT_EQ(shape_of("reduce_mean", {{2, 3, 4}}, {{"axes", Integers{0, 2}}}), (Shape{3}));
  EXPECT_EQ(shape_of("reduce_l2", {{2, 3, 4}}, {{"axes", Integers{0, 2}}, {"keep", true}}), (Shape{1, 3, 1}));
  EXPECT_EQ(shape_of("reduce_sum", {{2, 3}}, {{"axes", Integers{0, 1}}}), Shape{});
  EXPECT_EQ(shape_of("reduce_max", {{2, 3}}, {{"axes", Integers{}}}), (Shape{2, 3}));
  for (const auto& axes : {Integers{1, 0}, Integers{1, 1}, Integers{2}, Integers{-1}})
    EXPECT_THAT(complaint_about("reduce_prod", {{2, 3}}, {{"axes", axes}}), HasSubstr("ascending axes"));
}

TEST(Shapes, any_axis_can_be_joined_cut_and_taken_from) {
  EXPECT_EQ(shape_of("concat", {{2, 3}, {1, 3}}, {{"axis", std::int64_t{0}}}), (Shape{3, 3}));
  EXPECT_EQ(shape_of("slice", {{5, 3}},
                     {{"axis", std::int64_t{0}},
                      {"begin", std::int64_t{0}},
                      {"end", std::int64_t{5}},
                      {"step", std::int64_t{2}}}),
            (Shape{3, 3}));
  EXPECT_EQ(shape_of("gather", {{5, 3}}, {{"axis", std::int64_t{1}}, {"indices", Integers{2, 2, 0, 1}}}),
            (Shape{5, 4}));
}

TEST(Shapes, a_range_outside_its_axis_is_refused) {
  const auto sliced = [](std::int64_t begin, std::int64_t end) {
    return complaint_about("slice", {{1, 3}}, {{"axis", std::int64_t{1}}, {"begin", begin}, {"end", end}});
  };
  EXPECT_THAT(sliced(0, 4), HasSubstr("indices 0 to 4 by 1; allowed: a range within 0 to 3"));
  EXPECT_THAT(sliced(2, 2), HasSubstr("indices 2 to 2"));
  EXPECT_THAT(sliced(-1, 2), HasSubstr("indices -1 to 2"));
  EXPECT_THAT(complaint_about("gather", {{1, 3}}, {{"axis", std::int64_t{1}}, {"indices", Integers{3}}}),
              HasSubstr("index 3; allowed: 0 to 2"));
  EXPECT_THAT(complaint_about("gather", {{1, 3}}, {{"axis", std::int64_t{1}}, {"indices", Integers{}}}),
              HasSubstr("at least one"));
}

TEST(Shapes, pads_repeat_no_more_than_there_is) {
  const auto padded = [](const std::string& mode, std::int64_t each) {
    return complaint_about("pad", {{3, 2}}, {{"padding", Integers{each, 0, 0, 0}}, {"mode", mode}});
  };
  EXPECT_EQ(shape_of("pad", {{3, 2}}, {{"padding", pads(2, 2)}}), (Shape{7, 6}));
  EXPECT_EQ(padded("edge", 9), "[12, 2]");
  EXPECT_EQ(padded("circular", 3), "[6, 2]");
  EXPECT_EQ(padded("reflect", 2), "[5, 2]");
  EXPECT_THAT(padded("circular", 4), HasSubstr("circular of 3 elements by 4"));
  EXPECT_THAT(padded("reflect", 3), HasSubstr("reflect of 3 elements by 3"));
  EXPECT_THAT(padded("mirror", 1), HasSubstr("mode 'mirror'; allowed: constant, reflect"));
}

TEST(Shapes, a_reshape_keeps_the_size_and_knows_where_the_batch_goes) {
  EXPECT_EQ(shape_of("reshape", {{1, 6}}, {{"shape", Integers{3, 1, 2}}, {"batch_axis", std::int64_t{1}}}),
            (Shape{3, 1, 2}));
  EXPECT_EQ(shape_of("reshape", {{1, 1}}, {{"shape", Integers{}}, {"batch_axis", std::int64_t{-1}}}),
            Shape{});
  EXPECT_THAT(complaint_about("reshape", {{1, 6}}, {{"shape", Integers{5}}}),
              HasSubstr("shapes of one size"));
  EXPECT_THAT(complaint_about("reshape", {{1, 6}}, {{"shape", Integers{-1, 6}}}),
              HasSubstr("extents of 1 or more"));
  EXPECT_THAT(complaint_about("reshape", {{1, 6}}, {{"shape", Integers{6}}, {"batch_axis", std::int64_t{1}}}),
              HasSubstr("batch_axis 1; allowed: -1 to 0"));
}

TEST(Shapes, extents_whose_product_overflows_are_refused) {
  const std::int64_t huge = std::int64_t{1} << 32;
  EXPECT_THAT(complaint_about("reshape", {{1, 6}}, {{"shape", Integers{huge, huge, 6}}}), HasSubstr("node"));
  Graph graph;
  const auto input = graph.add_input("input", {1, 6});
  EXPECT_THROW(graph.add_node("expand", "wide", {input}, {{"shape", Integers{huge, huge, 6}}}), Error);
  const Attributes padding{{"padding", Integers(4, std::int64_t{1} << 31)}};
  EXPECT_THROW(graph.add_node("pad", "twice", {graph.add_node("pad", "once", {input}, padding)}, padding),
               Error);
}

TEST(Shapes, expand_repeats_only_extents_of_one) {
  EXPECT_EQ(shape_of("expand", {{3, 1}}, {{"shape", Integers{2, 3, 4}}}), (Shape{2, 3, 4}));
  EXPECT_THAT(complaint_about("expand", {{3, 2}}, {{"shape", Integers{3, 4}}}), HasSubstr("equal or 1"));
  EXPECT_THAT(complaint_about("expand", {{3, 2}}, {{"shape", Integers{2}}}),
              HasSubstr("a shape that it broadcasts to"));
}

TEST(Shapes, blocks_divide_channels_and_pixels) {
  const Attributes two{{"block", std::int64_t{2}}};
  EXPECT_EQ(shape_of("depth_to_space", {{1, 8, 3, 4}}, two), (Shape{1, 2, 6, 8}));
  EXPECT_EQ(shape_of("space_to_depth", {{1, 2, 6, 8}}, two), (Shape{1, 8, 3, 4}));
  EXPECT_THAT(complaint_about("depth_to_space", {{1, 6, 3, 4}}, two), HasSubstr("a multiple of 4"));
  EXPECT_THAT(complaint_about("space_to_depth", {{1, 2, 5, 8}}, two), HasSubstr("multiples of 2"));
  EXPECT_THAT(complaint_about("channel_shuffle", {{1, 6, 2}}, {{"groups", std::int64_t{4}}}),
              HasSubstr("4 groups of 6 channels"));
}

TEST(Shapes, resize_takes_any_extent_and_known_names) {
  EXPECT_EQ(shape_of("resize", {{1, 2, 4, 5}}, {{"size", Integers{3, 9}}}), (Shape{1, 2, 3, 9}));
  EXPECT_THAT(complaint_about("resize", {{1, 2, 4}}, {{"size", Integers{3}}, {"mode", std::string("area")}}),
              HasSubstr("mode 'area'; allowed: nearest, linear, cubic"));
}

TEST(Shapes, softmax_and_permute_take_the_batch_axis_too) {
  EXPECT_EQ(shape_of("softmax", {{3, 2}}, {{"axis", std::int64_t{0}}}), (Shape{3, 2}));
  EXPECT_EQ(shape_of("permute", {{3, 2}}, {{"order", Integers{1, 0}}}), (Shape{2, 3}));
  EXPECT_EQ(shape_of("permute", {{}}, {{"order", Integers{}}}), Shape{});
}

}  // namespace
}  // namespace compress
