#include "libcompress/quant/lower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "libcompress/base/error.h"
#include "libcompress/quant/compare.h"
#include "libcompress/quant/fold.h"
#include "libcompress/quant/reference.h"
#include "tests/quant/networks.h"

namespace compress {
namespace {

using test::NetworkBuilder;
using test::quantized;
using test::random_inputs;
using Integers = std::vector<std::int64_t>;

/// Quantizes, and expects the output and every layer between to stay close to float32.
QuantizedGraph close_to_float(const Model& model, double sqnr_db = 25) {
  const auto graph = quantized(model, random_inputs(model, 16));
  const auto difference = compare(model, graph, random_inputs(model, 16), 16);
  for (const auto& layer : difference.layers)
    EXPECT_GT(layer.sqnr_db, sqnr_db) << layer.value << "\n" << to_text(graph);
  EXPECT_GT(difference.layers.size(), 1u);
  return graph;
}

std::vector<std::string> ops_of(const QuantizedGraph& graph) {
  std::vector<std::string> names;
  for (const auto& node : graph.nodes) names.emplace_back(name_of(node.op));
  return names;
}

std::string complaint_of(const std::function<void()>& act, ErrorKind kind = ErrorKind::input) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  return "accepted";
}

TEST(Lower, a_conv_takes_the_relu_behind_it) {
  const auto model =
      NetworkBuilder({1, 3, 9, 7}).conv("conv", 8, {3, 3}, {2, 1}).node("relu", "relu").finish();
  const auto graph = close_to_float(model);
  EXPECT_THAT(ops_of(graph), testing::ElementsAre("conv"));
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "relu");
  EXPECT_EQ(graph.value(graph.outputs[0]).zero_point, -128);
  EXPECT_EQ(std::get<QConv>(graph.nodes[0].op).clamp_min, -128);
}

TEST(Lower, a_relu_of_its_own_becomes_a_clamp) {
  NetworkBuilder build({1, 3, 4, 4});
  build.conv("conv", 4, {1, 1}, {1, 1});
  const auto conv = build.last();
  build.node("relu", "relu");
  const auto model = build.finish({conv, build.last()});
  EXPECT_THAT(ops_of(close_to_float(model)), testing::ElementsAre("conv", "requantize"));
}

TEST(Lower, clamps_join_what_is_before_them_and_cost_nothing) {
  const Attributes hard_tanh{{"min", -1.0}, {"max", 1.0}}, odd{{"min", -0.5}, {"max", 2.0}};
  NetworkBuilder build({1, 3, 6, 6});
  build.conv("conv1", 4, {3, 3}, {1, 1}).node("relu6", "relu6");
  build.conv("conv2", 4, {3, 3}, {1, 1}).node("clip", "hard_tanh", hard_tanh);
  build.conv("conv3", 4, {1, 1}, {1, 1}).node("clip", "odd", odd);
  const auto graph = close_to_float(build.finish());
  EXPECT_THAT(ops_of(graph), testing::ElementsAre("conv", "conv", "conv"));
  for (const auto& node : graph.nodes) {
    EXPECT_EQ(std::get<QConv>(node.op).clamp_min, -128);
    EXPECT_EQ(std::get<QConv>(node.op).clamp_max, 127);
  }
}

TEST(Lower, a_clamp_inside_the_range_of_levels_is_kept) {
  NetworkBuilder build({1, 3, 6, 6});
  build.node("max_pool", "pool", {{"kernel", Integers{2, 2}}, {"stride", Integers{2, 2}}});
  build.node("clip", "clip", {{"min", 0.25}, {"max", 1.5}});
  const auto graph = close_to_float(build.finish());
  EXPECT_THAT(ops_of(graph), testing::ElementsAre("max_pool", "requantize"));
  const auto& clamp = std::get<QRequantize>(graph.nodes[1].op);
  EXPECT_NEAR(clamp.clamp_min, -128 + 0.25 / 1.5 * 255, 1);
  EXPECT_EQ(clamp.clamp_max, 127);
}

TEST(Lower, grouped_depthwise_and_dilated_convs_stay_close) {
  NetworkBuilder build({1, 6, 8, 8});
  build.conv("groups", 9, {3, 3}, {1, 1}, 3).conv("depthwise", 18, {3, 3}, {1, 1}, 9).node("relu", "relu");
  close_to_float(build.finish());
}

TEST(Lower, sequences_are_images_of_height_one) {
  const auto model =
      NetworkBuilder({1, 2, 40})
          .conv("conv1", 6, {5}, {2})
          .node("relu", "relu1")
          .node("max_pool", "pool",
                {{"kernel", Integers{4}}, {"stride", Integers{4}}, {"padding", Integers{0, 0}}})
          .node("global_avg_pool", "mean")
          .node("flatten", "flat")
          .linear("fc", 3)
          .finish();
  const auto graph = close_to_float(model);
  EXPECT_EQ(graph.value(graph.inputs[0]).shape, (Shape{1, 1, 40, 2}));
  EXPECT_THAT(ops_of(graph), testing::ElementsAre("conv", "max_pool", "avg_pool", "reshape", "linear"));
}

TEST(Lower, channels_may_become_height) {
  const auto model = NetworkBuilder({1, 1, 1, 64})
                         .conv("conv1", 8, {1, 5}, {1, 2})
                         .node("relu", "relu1")
                         .node("permute", "turn", {{"order", Integers{0, 2, 1, 3}}})
                         .conv("conv2", 5, {3, 3}, {1, 1})
                         .finish();
  const auto graph = close_to_float(model);
  EXPECT_THAT(ops_of(graph), testing::ElementsAre("conv", "transpose", "conv"));
  EXPECT_EQ(graph.value(graph.nodes[1].output).shape, (Shape{1, 8, 32, 1}));
}

TEST(Lower, a_flatten_before_a_linear_costs_no_transpose) {
  const auto model = NetworkBuilder({1, 3, 4, 5})
                         .conv("conv", 6, {3, 3}, {1, 1})
                         .node("flatten", "flat")
                         .linear("fc", 7)
                         .finish();
  EXPECT_THAT(ops_of(close_to_float(model)), testing::ElementsAre("conv", "reshape", "linear"));
}

TEST(Lower, a_flatten_that_others_read_keeps_the_order_of_elements) {
  NetworkBuilder build({1, 3, 4, 5});
  build.conv("conv", 6, {3, 3}, {1, 1}).node("flatten", "flat");
  const auto flat = build.last();
  build.linear("fc", 7);
  const auto model = build.finish({build.last(), flat});
  EXPECT_THAT(ops_of(close_to_float(model)),
              testing::UnorderedElementsAre("conv", "transpose", "reshape", "linear"));
}

TEST(Lower, a_linear_over_a_sequence_reads_its_last_axis) {
  const auto model =
      NetworkBuilder({1, 5, 12}).linear("fc1", 8).node("relu", "relu").conv("conv", 4, {3}, {1}).finish();
  close_to_float(model);
}

TEST(Lower, any_permute_of_an_image_keeps_the_numbers) {
  const Integers orders[] = {{0, 1, 3, 2}, {0, 2, 3, 1}, {0, 3, 1, 2}, {0, 3, 2, 1}, {0, 2, 1, 3}};
  for (const auto& order : orders) {
    const auto model = NetworkBuilder({1, 2, 3, 4})
                           .conv("conv1", 5, {3, 3}, {1, 1})
                           .node("permute", "turn", {{"order", order}})
                           .conv("conv2", 3, {1, 1}, {1, 1})
                           .node("permute", "back", {{"order", order}})
                           .node("flatten", "flat")
                           .finish();
    close_to_float(model);
  }
}

TEST(Lower, concat_inputs_get_the_scale_of_the_result) {
  NetworkBuilder build({1, 3, 6, 6});
  const auto input = build.last();
  build.conv("left", 4, {1, 1}, {1, 1}).node("relu", "left_relu");
  const auto left = build.last();
  build.from(input).conv("right", 5, {3, 3}, {1, 1});
  build.node("max_pool", "pool",
             {{"kernel", Integers{3, 3}}, {"stride", Integers{1, 1}}, {"padding", Integers{1, 1, 1, 1}}});
  build.join("concat", "joined", {left, build.last(), input}, {{"axis", std::int64_t{1}}});
  const auto graph = close_to_float(build.finish());
  // The input's scale is not ours to choose; the others take the concat's where they are made.
  EXPECT_THAT(ops_of(graph),
              testing::UnorderedElementsAre("conv", "conv", "max_pool", "requantize", "concat"));
}

TEST(Lower, adds_of_different_scales_stay_close) {
  NetworkBuilder build({1, 3, 6, 6});
  build.conv("a", 4, {1, 1}, {1, 1});
  const auto left = build.last();
  build.conv("b", 4, {3, 3}, {1, 1});
  build.join("add", "sum", {left, build.last()}).node("relu", "relu");
  build.node("avg_pool", "mean", {{"kernel", Integers{2, 2}}, {"stride", Integers{2, 2}}});
  EXPECT_THAT(ops_of(close_to_float(build.finish())),
              testing::ElementsAre("conv", "conv", "add", "avg_pool"));
}

TEST(Lower, slices_and_gathers_take_elements_of_any_axis) {
  NetworkBuilder build({1, 6, 9, 7});
  const auto slice = [&](const std::string& name, std::int64_t axis, std::int64_t begin, std::int64_t end,
                         std::int64_t step) {
    build.node("slice", name, {{"axis", axis}, {"begin", begin}, {"end", end}, {"step", step}});
  };
  build.conv("conv1", 6, {3, 3}, {1, 1});
  slice("channels", 1, 1, 5, 1);
  slice("rows", 2, 0, 9, 2);
  build.node("gather", "columns", {{"axis", std::int64_t{3}}, {"indices", Integers{6, 4, 2}}});
  build.conv("conv2", 4, {1, 1}, {1, 1});
  const auto graph = close_to_float(build.finish());
  EXPECT_THAT(ops_of(graph), testing::ElementsAre("conv", "slice", "slice", "slice", "conv"));
  EXPECT_EQ(graph.value(graph.nodes[3].output).shape, (Shape{1, 5, 3, 4}));
  EXPECT_THAT(std::get<QSlice>(graph.nodes[3].op).step, testing::ElementsAre(1, 1, -2, 1));
}

TEST(Lower, a_gather_of_scattered_indices_is_refused) {
  const auto model = NetworkBuilder({1, 4, 5, 5})
                         .conv("conv", 4, {1, 1}, {1, 1})
                         .node("gather", "some", {{"axis", std::int64_t{1}}, {"indices", Integers{0, 3, 1}}})
                         .finish();
  const auto complaint = complaint_of([&] { quantized(model, random_inputs(model, 4)); });
  EXPECT_THAT(complaint, testing::HasSubstr("'some'"));
  EXPECT_THAT(complaint, testing::HasSubstr("evenly spaced"));
}

/// A network that resizes an image of 4 by 6 so.
Model resizing(const Integers& size, const std::string& coordinates, const std::string& rounding) {
  return NetworkBuilder({1, 3, 4, 6})
      .conv("conv1", 4, {3, 3}, {1, 1})
      .node("resize", "larger", {{"size", size}, {"coordinates", coordinates}, {"rounding", rounding}})
      .conv("conv2", 4, {3, 3}, {1, 1})
      .finish();
}

TEST(Lower, nearest_resizes_take_the_elements_of_the_float_network) {
  const std::pair<std::string, std::string> rules[] = {{"asymmetric", "floor"},
                                                       {"half_pixel", "round_prefer_ceil"},
                                                       {"align_corners", "round_prefer_ceil"},
                                                       {"half_pixel", "round_prefer_floor"}};
  for (const auto& [coordinates, rounding] : rules) {
    for (const auto& size : {Integers{8, 12}, Integers{4, 18}}) {
      const auto graph = close_to_float(resizing(size, coordinates, rounding));
      EXPECT_THAT(ops_of(graph), testing::ElementsAre("conv", "resize", "conv"));
    }
  }
}

TEST(Lower, a_nearest_resize_by_another_rule_is_refused) {
  const auto model = resizing({7, 12}, "asymmetric", "ceil");
  EXPECT_THAT(complaint_of([&] { quantized(model, random_inputs(model, 4)); }),
              testing::HasSubstr("coordinates asymmetric rounded by ceil"));
}

TEST(Lower, shuffles_and_blocks_are_reshapes_and_transposes) {
  const std::string orders[] = {"crd", "dcr"};
  for (const auto& order : orders) {
    const auto graph =
        close_to_float(NetworkBuilder({1, 3, 4, 6})
                           .conv("conv1", 12, {3, 3}, {1, 1})
                           .node("channel_shuffle", "shuffle", {{"groups", std::int64_t{3}}})
                           .node("depth_to_space", "up", {{"block", std::int64_t{2}}, {"order", order}})
                           .conv("conv2", 5, {3, 3}, {1, 1})
                           .node("space_to_depth", "down", {{"block", std::int64_t{2}}, {"order", order}})
                           .conv("conv3", 4, {1, 1}, {1, 1})
                           .finish());
    const auto names = ops_of(graph);
    EXPECT_EQ(std::count(names.begin(), names.end(), "transpose"), order == "crd" ? 5 : 3);
  }
}

TEST(Lower, a_batch_norm_that_cannot_fold_becomes_a_depthwise_conv) {
  const auto image =
      NetworkBuilder({1, 3, 6, 6}).norm("norm").node("relu", "relu").conv("conv", 4, {1, 1}, {1, 1}).finish();
  EXPECT_THAT(ops_of(close_to_float(image)), testing::ElementsAre("conv", "conv"));
  const auto flat = NetworkBuilder({1, 9}).norm("norm").node("relu", "relu").linear("fc", 4).finish();
  EXPECT_THAT(ops_of(close_to_float(flat)), testing::ElementsAre("reshape", "conv", "reshape", "linear"));
}

TEST(Lower, softmax_runs_over_any_axis) {
  for (const std::int64_t axis : {1, 2, 3}) {
    const auto model = NetworkBuilder({1, 3, 4, 5})
                           .conv("conv", 6, {1, 1}, {1, 1})
                           .node("softmax", "p", {{"axis", axis}})
                           .finish();
    const auto graph = close_to_float(model, 15);
    EXPECT_EQ(graph.value(graph.outputs[0]).scale, 1.0f / 256);
  }
}

TEST(Lower, random_networks_stay_close_to_float) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    Random random(seed);
    NetworkBuilder build({1, 1 + random.below(4), 8 + random.below(9), 8 + random.below(9)}, seed);
    std::vector<ValueId> same_shape;
    for (int i = 0; i < 4; ++i) {
      const auto id = std::to_string(i);
      const auto kernel = 1 + 2 * random.below(2);
      build.conv("conv" + id, 4 + random.below(8), {kernel, kernel}, {1 + random.below(2), 1}, 1,
                 random.below(2) == 0);
      if (random.below(2)) build.norm("norm" + id);
      if (random.below(3)) build.node("relu", "relu" + id);
      if (random.below(3) == 0) {
        const auto before = build.last();
        build.conv("twin" + id, build.finish({before}).graph.value(before).shape[1], {3, 3}, {1, 1});
        build.join("add", "sum" + id, {before, build.last()});
      }
    }
    build.node("global_avg_pool", "mean").node("flatten", "flat").linear("fc", 10);
    const auto model = build.finish({build.last()});
    const auto graph = quantized(model, random_inputs(model, 16));
    const auto difference = compare(model, graph, random_inputs(model, 16), 16);
    EXPECT_GT(difference.layers.back().sqnr_db, 15) << "seed " << seed << "\n" << to_text(difference);
  }
}

TEST(Lower, a_dead_channel_keeps_its_bias) {
  auto model = NetworkBuilder({1, 2, 4, 4}).conv("conv", 3, {1, 1}, {1, 1}).finish();
  auto weight = model.weights["conv.weight"].as<float>();
  weight[2] = weight[3] = 0;  // channel 1
  model.weights["conv.bias"].as<float>()[1] = 0.75f;
  const auto graph = close_to_float(model);
  const auto output =
      dequantize_output(graph, ReferenceExecutor(graph).run(std::vector<std::int8_t>(32, 50)));
  EXPECT_NEAR(output[16], 0.75, graph.value(graph.outputs[0]).scale);
}

TEST(Lower, a_bias_far_beyond_its_weights_does_not_overflow) {
  auto model = NetworkBuilder({1, 2, 4, 4}).conv("conv", 3, {1, 1}, {1, 1}).finish();
  for (auto& w : model.weights["conv.weight"].as<float>()) w *= 1e-12f;
  model.weights["conv.bias"].as<float>()[1] = 1e6f;
  EXPECT_NO_THROW(quantized(model, random_inputs(model, 4)));
}

TEST(Lower, refuses_what_it_cannot_scale) {
  const auto model =
      NetworkBuilder({1, 2, 4, 4}).conv("conv", 3, {1, 1}, {1, 1}).node("relu", "relu").finish();
  ValueRanges ranges = {{"input", {-1, 1}}, {"conv", {-1, 1}}, {"relu", {0, 0}}};
  EXPECT_THAT(complaint_of([&] { lower(model, ranges); }),
              testing::AllOf(testing::HasSubstr("value 'relu'"), testing::HasSubstr("prune it")));
  ranges["relu"] = {0, std::numeric_limits<float>::infinity()};
  EXPECT_THAT(complaint_of([&] { lower(model, ranges); }), testing::HasSubstr("value 'relu'"));
  ranges.erase("relu");
  EXPECT_THAT(complaint_of([&] { lower(model, ranges); }), testing::HasSubstr("no calibration range"));
  const auto solid = NetworkBuilder({1, 2, 4, 4, 4}).conv("conv", 3, {1, 1, 1}, {1, 1, 1}).finish();
  EXPECT_THAT(complaint_of([&] { quantized(solid, random_inputs(solid, 2)); }),
              testing::HasSubstr("node 'conv'"));
}

/// What lowering says to one node behind a 1 x 1 convolution.
std::string complaint_about(Shape input, const std::string& op, Attributes attributes) {
  NetworkBuilder build(std::move(input));
  const auto model = build.conv("conv", 4, {1, 1}, {1, 1}).node(op, "node", std::move(attributes)).finish();
  return complaint_of([&] { lower(model, {{"input", {-1, 1}}, {"conv", {-1, 1}}, {"node", {-1, 1}}}); });
}

/// SQNR of one node between two convolutions, which tell where each number has gone.
double db_of(Shape input, const std::string& op, Attributes attributes) {
  NetworkBuilder build(std::move(input));
  build.conv("conv", 6, {1, 1}, {1, 1}).node(op, "node", std::move(attributes));
  const auto model = build.finish();
  const auto inputs = random_inputs(model, 4);
  return compare(model, quantized(model, inputs), inputs, 4).layers.back().sqnr_db;
}

TEST(Lower, moves_and_pools_as_the_float_network_does) {
  constexpr double kOfConv = 30;  // what 8 bits leave of the convolution before
  const Shape image = {1, 3, 5, 8};
  const Attributes hanging{{"kernel", Integers{2, 3}}, {"stride", Integers{2, 2}}, {"ceil", true}};
  EXPECT_GT(db_of(image, "max_pool", hanging), kOfConv);
  EXPECT_GT(db_of(image, "avg_pool", hanging), kOfConv);
  const Attributes counting{{"kernel", Integers{3, 3}},
                            {"stride", Integers{1, 2}},
                            {"padding", Integers{1, 0, 1, 1}},
                            {"count_padding", true}};
  EXPECT_GT(db_of(image, "avg_pool", counting), kOfConv);
  EXPECT_GT(db_of(image, "global_max_pool", {}), kOfConv);
  EXPECT_GT(db_of(image, "adaptive_avg_pool", {{"size", Integers{1, 4}}}), kOfConv);
  EXPECT_GT(db_of(image, "adaptive_max_pool", {{"size", Integers{5, 2}}}), kOfConv);
  EXPECT_GT(db_of(image, "channel_shuffle", {{"groups", std::int64_t{3}}}), kOfConv);
  const auto to = [](Shape shape) {
    return Attributes{{"shape", std::move(shape)}, {"batch_axis", std::int64_t{0}}};
  };
  EXPECT_GT(db_of(image, "reshape", to({1, 10, 3, 8})), kOfConv);
  EXPECT_GT(db_of(image, "reshape", to({1, 6, 40})), kOfConv);
  EXPECT_GT(db_of(image, "reshape", to({1, 2, 3, 5, 8})), kOfConv);
}

TEST(Lower, refuses_forms_of_operators_that_only_floats_have) {
  using testing::HasSubstr;
  const Attributes window{{"kernel", Integers{2, 2}}, {"stride", Integers{2, 2}}};
  const auto with = [&](const std::string& name, Attribute value) {
    auto attributes = window;
    attributes.set(name, std::move(value));
    return attributes;
  };
  const Shape image = {1, 2, 5, 5};
  EXPECT_EQ(complaint_about(image, "max_pool", window), "accepted");
  EXPECT_THAT(complaint_about(image, "max_pool", with("dilation", Integers{2, 2})), HasSubstr("dilated"));
  auto counting = with("count_padding", true);
  EXPECT_EQ(complaint_about(image, "avg_pool", counting), "accepted");
  counting.set("padding", Integers{1, 1, 1, 1});
  EXPECT_EQ(complaint_about(image, "avg_pool", counting), "accepted");
  counting.set("ceil", true);
  EXPECT_THAT(complaint_about(image, "avg_pool", counting), HasSubstr("padding that counts"));
  EXPECT_THAT(complaint_about(image, "adaptive_avg_pool", {{"size", Integers{2, 5}}}),
              HasSubstr("5 elements to 2; allowed: sizes that divide the input's"));
  EXPECT_THAT(complaint_about(image, "permute", {{"order", Integers{1, 0, 2, 3}}}),
              HasSubstr("a batch that moves"));
  EXPECT_THAT(complaint_about(image, "concat", {{"axis", std::int64_t{0}}}), HasSubstr("axis 0"));
  EXPECT_THAT(complaint_about(image, "mish", {}), HasSubstr("operator 'mish'"));
  EXPECT_THAT(complaint_about(image, "elu", {{"alpha", 0.5}}), HasSubstr("another alpha"));
  EXPECT_THAT(complaint_about(image, "hard_sigmoid", {{"alpha", 0.2}}), HasSubstr("alpha 0.2"));
  EXPECT_THAT(complaint_about(image, "reduce_mean", {{"axes", Integers{0}}}), HasSubstr("over the batch"));
  EXPECT_THAT(
      complaint_about(image, "pad", {{"padding", Integers{0, 0, 1, 1, 0, 0, 1, 1}}, {"mode", "edge"}}),
      HasSubstr("padding by edge"));
}

TEST(Lower, refuses_operands_that_only_floats_take) {
  NetworkBuilder squared({1, 1});
  const auto itself = squared.join("linear", "fc", {squared.last(), squared.last()}).finish();
  const ValueRanges ranges = {{"input", {-1, 1}}, {"fc", {-1, 1}}, {"conv", {-1, 1}}, {"sum", {-1, 1}}};
  EXPECT_THAT(complaint_of([&] { lower(itself, ranges); }), testing::HasSubstr("a computed weight"));

  NetworkBuilder weightless({1, 4, 3, 3});
  const auto pool = weightless.join("relu", "sum", {weightless.weight("constant", {1, 4, 3, 3})}).finish();
  EXPECT_THAT(complaint_of([&] { lower(pool, ranges); }), testing::HasSubstr("a constant as input"));
}

TEST(Lower, functions_become_tables_close_to_float) {
  for (const auto* function :
       {"sigmoid", "tanh", "hard_swish", "hard_sigmoid", "silu", "elu", "leaky_relu", "gelu"}) {
    SCOPED_TRACE(function);
    NetworkBuilder build({1, 3, 6, 6});
    build.conv("conv", 4, {3, 3}, {1, 1}).node(function, "function");
    EXPECT_THAT(ops_of(close_to_float(build.finish())), testing::ElementsAre("conv", "table"));
  }
}

TEST(Lower, squeeze_and_excite_stays_close) {
  NetworkBuilder build({1, 3, 8, 8});
  build.conv("conv", 6, {3, 3}, {1, 1}).node("hard_swish", "swish");
  const auto image = build.last();
  build.node("reduce_mean", "mean", {{"axes", Integers{2, 3}}, {"keep", true}});
  build.conv("squeeze", 3, {1, 1}, {1, 1}).node("relu", "relu").conv("excite", 6, {1, 1}, {1, 1});
  build.node("hard_sigmoid", "gate");
  build.join("mul", "scaled", {build.last(), image});
  const auto graph = close_to_float(build.finish());
  EXPECT_THAT(ops_of(graph), testing::ElementsAre("conv", "table", "mean", "conv", "conv", "table", "mul"));
}

TEST(Lower, operands_may_be_parameters_in_pytorchs_shapes) {
  NetworkBuilder build({1, 3, 6, 5});
  build.conv("conv", 4, {3, 3}, {1, 1});
  build.join("mul", "scaled", {build.last(), build.weight("scale", {4, 1, 1}, 0.5, 2)});
  build.join("sub", "shifted", {build.weight("offset", {1, 4, 6, 5}), build.last()});
  build.join("add", "sum", {build.last(), build.weight("number", {1}, 1, 2)}).node("relu6", "relu6");
  EXPECT_THAT(ops_of(close_to_float(build.finish())), testing::ElementsAre("conv", "mul", "add", "add"));
}

TEST(Lower, means_over_any_neighboring_axes_stay_close) {
  for (const auto& axes : {Integers{2, 3}, {1}, {2}, {3}, {1, 2, 3}, {1, 2}}) {
    for (const bool keep : {true, false}) {
      SCOPED_TRACE(to_string(axes) + (keep ? " kept" : ""));
      NetworkBuilder build({1, 3, 6, 5});
      build.conv("conv", 4, {3, 3}, {1, 1}).node("reduce_mean", "mean", {{"axes", axes}, {"keep", keep}});
      close_to_float(build.finish());
    }
  }
}

TEST(Lower, pads_with_zeros_and_with_other_numbers_stay_close) {
  NetworkBuilder build({1, 3, 6, 5});
  build.node("pad", "zeros", {{"padding", Integers{0, 0, 1, 2, 0, 1, 0, 3}}});
  build.conv("conv", 4, {3, 3}, {1, 1});
  build.node("pad", "others", {{"padding", Integers{0, 2, 0, 0, 0, 0, 1, 1}}, {"value", 40.0}});
  const auto graph = close_to_float(build.finish());
  EXPECT_THAT(ops_of(graph), testing::ElementsAre("pad", "conv", "requantize", "pad"));
}

TEST(Lower, permutes_that_cancel_vanish_and_others_become_one) {
  NetworkBuilder build({1, 3, 6, 5});
  build.conv("conv1", 4, {3, 3}, {1, 1});
  build.node("permute", "there", {{"order", Integers{0, 2, 3, 1}}});
  build.node("permute", "back", {{"order", Integers{0, 3, 1, 2}}});
  build.conv("conv2", 4, {3, 3}, {1, 1});
  build.node("permute", "turned", {{"order", Integers{0, 3, 2, 1}}});
  build.node("permute", "further", {{"order", Integers{0, 2, 1, 3}}});
  build.conv("conv3", 4, {1, 1}, {1, 1});
  EXPECT_THAT(ops_of(close_to_float(build.finish())),
              testing::ElementsAre("conv", "conv", "transpose", "conv"));
}

TEST(Calibration, refuses_no_inputs_constant_inputs_and_nan) {
  const auto model = NetworkBuilder({1, 2, 4, 4}).conv("conv", 3, {1, 1}, {1, 1}).finish();
  EXPECT_THAT(complaint_of([&] { quantized(model, {}); }), testing::HasSubstr("no inputs"));
  EXPECT_THAT(complaint_of([&] { quantized(model, std::vector<float>(64, 0.5f)); }),
              testing::HasSubstr("value 'input': 0.5 in every"));
  auto inputs = random_inputs(model, 2);
  inputs[40] = std::nanf("");
  EXPECT_THAT(complaint_of([&] { quantized(model, inputs); }), testing::HasSubstr("input 'input': nan"));
  auto broken = NetworkBuilder({1, 2, 4, 4}).conv("conv", 3, {1, 1}, {1, 1}).finish();
  for (auto& w : broken.weights["conv.weight"].as<float>()) w = 3e38f;
  EXPECT_THAT(complaint_of([&] { quantized(broken, random_inputs(broken, 2)); }),
              testing::HasSubstr("node 'conv'"));
  EXPECT_THAT(complaint_of([&] { ArraySource(std::vector<float>(5), 2); }, ErrorKind::usage),
              testing::HasSubstr("5 numbers"));
}

TEST(Scale, holds_zero_exactly) {
  EXPECT_EQ(scale_for({0, 255}).zero_point, -128);
  EXPECT_EQ(scale_for({-255, 0}).zero_point, 127);
  EXPECT_EQ(scale_for({10, 255}).zero_point, -128);
  EXPECT_FLOAT_EQ(scale_for({-1, 1}).scale, 2.0f / 255);
  EXPECT_EQ(scale_for({-1, 1}).zero_point, -1);  // -128 + 127.5 rounded away from zero
}

TEST(QuantizeInput, rounds_halves_away_from_zero_and_turns_to_channels_last) {
  QuantizedGraph graph;
  QValue value;
  value.name = "x";
  value.shape = {1, 1, 3, 2};
  value.scale = 0.5f;
  value.zero_point = 1;
  graph.values = {value};
  graph.inputs = graph.outputs = {QValueId{0}};
  const std::vector<float> input = {0.25f, 0.75f, 1000, -0.25f, -0.75f, 0};
  const auto result = quantize_input(graph, input);
  EXPECT_EQ(result, (std::vector<std::int8_t>{2, 0, 3, -1, 127, 1}));
  EXPECT_EQ(dequantize_output(graph, result), (std::vector<float>{0.5f, 1, 63, -0.5f, -1, 0}));
  EXPECT_THROW(quantize_input(graph, std::vector<float>(5)), Error);
  EXPECT_THROW(quantize_input(graph, std::vector<float>(6, std::nanf(""))), Error);
}

}  // namespace
}  // namespace compress
