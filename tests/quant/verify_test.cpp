#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "libcompress/base/error.h"
#include "libcompress/quant/quantized_graph.h"
#include "tests/quant/networks.h"

namespace compress {
namespace {

using test::small_quantized_graph;

/// What verify() says about the small network after `spoil`.
std::string complaint_after(const std::function<void(QuantizedGraph&)>& spoil) {
  auto graph = small_quantized_graph();
  for (auto& value : graph.values) {
    if (!value.constant.empty()) value.constant = value.constant.clone();
  }
  spoil(graph);
  try {
    verify(graph);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "accepted";
}

QNode& node_of(QuantizedGraph& graph, std::string_view op) {
  for (auto& node : graph.nodes) {
    if (name_of(node.op) == op) return node;
  }
  throw std::logic_error("no such node");
}

QValue& value_of(QuantizedGraph& graph, QValueId id) { return graph.values[index_of(id)]; }

TEST(QuantizedGraph, a_lowered_network_verifies) {
  EXPECT_EQ(complaint_after([](QuantizedGraph&) {}), "accepted");
}

TEST(QuantizedGraph, tells_of_itself_in_lines) {
  const auto text = to_text(small_quantized_graph());
  EXPECT_THAT(text, testing::HasSubstr("conv1: conv(input, conv1.weight, conv1.bias) kernel=3x3"));
  EXPECT_THAT(text, testing::HasSubstr("profile litert"));
}

TEST(QuantizedGraph, counts_multiplies_and_bytes) {
  const auto graph = small_quantized_graph();
  EXPECT_EQ(macs_of(graph), 6 * 8 * (4 * 9 * 2 + 4 * 4) + 48 * 3);
  EXPECT_EQ(constant_bytes_of(graph), 4 * 9 * 2 + 4 * 4 + 4 * 4 + 4 * 4 + 48 * 3 + 3 * 4);
}

TEST(QuantizedGraph, keeps_16_bits_inside_and_one_width_in_a_node) {
  EXPECT_THAT(complaint_after([](QuantizedGraph& graph) {
                auto& input = value_of(graph, graph.inputs[0]);
                input.dtype = DType::int16;
                input.zero_point = 0;
              }),
              testing::HasSubstr("16 bits at an end of the network"));
  EXPECT_THAT(complaint_after([](QuantizedGraph& graph) {
                auto& output = value_of(graph, node_of(graph, "conv").output);
                output.dtype = DType::int16;
                output.zero_point = 0;
              }),
              testing::HasSubstr("one width"));
}

struct Spoiled {
  const char* name;
  std::function<void(QuantizedGraph&)> spoil;
  const char* complaint;
};

class Refusal : public testing::TestWithParam<Spoiled> {};

TEST_P(Refusal, says_what_is_wrong) {
  EXPECT_THAT(complaint_after(GetParam().spoil), testing::HasSubstr(GetParam().complaint));
}

const Spoiled kSpoiled[] = {
    {"unknown_profile", [](QuantizedGraph& g) { g.profile = "other"; }, "rounding profile 'other'"},
    {"no_output", [](QuantizedGraph& g) { g.outputs.clear(); }, "no output"},
    {"two_inputs", [](QuantizedGraph& g) { g.inputs.push_back(g.inputs[0]); }, "2 inputs"},
    {"output_out_of_range", [](QuantizedGraph& g) { g.outputs[0] = QValueId{1000}; }, "that no node makes"},
    {"negative_id", [](QuantizedGraph& g) { g.nodes[0].inputs[0] = QValueId{-1}; }, "a value of the network"},
    {"constant_as_output", [](QuantizedGraph& g) { g.outputs[0] = g.nodes[0].inputs[1]; },
     "that no node makes"},
    {"name_twice", [](QuantizedGraph& g) { g.values[0].name = g.values[1].name; }, "used twice"},
    {"scale_zero", [](QuantizedGraph& g) { g.values[0].scale = 0; }, "scale 0"},
    {"scale_nan", [](QuantizedGraph& g) { g.values[0].scale = std::nanf(""); }, "scale nan"},
    {"zero_point", [](QuantizedGraph& g) { g.values[0].zero_point = 128; }, "zero point 128"},
    {"batch", [](QuantizedGraph& g) { g.values[0].shape[0] = 2; }, "a batch of 1"},
    {"negative_extent", [](QuantizedGraph& g) { g.values[0].shape[1] = -2; }, "value"},
    {"huge_shape", [](QuantizedGraph& g) { g.values[0].shape[1] = std::int64_t{1} << 40; }, "input"},
    {"order_of_nodes", [](QuantizedGraph& g) { std::swap(g.nodes[0], g.nodes[1]); }, "before a node made it"},
    {"two_producers", [](QuantizedGraph& g) { g.nodes[1].output = g.nodes[0].output; }, "defined already"},
    {"missing_operand", [](QuantizedGraph& g) { g.nodes[0].inputs.pop_back(); }, "2 inputs"},
    {"activation_as_weight", [](QuantizedGraph& g) { g.nodes[1].inputs[1] = g.nodes[0].output; },
     "a constant"},
    {"multiplier", [](QuantizedGraph& g) { std::get<QConv>(g.nodes[0].op).requantization[1].shift += 1; },
     "as the scales have it"},
    {"multiplier_range",
     [](QuantizedGraph& g) { std::get<QConv>(g.nodes[0].op).requantization[1].multiplier = 5; }, "2^30"},
    {"requantization_count",
     [](QuantizedGraph& g) { std::get<QConv>(g.nodes[0].op).requantization.pop_back(); },
     "3 requantizations"},
    {"clamp", [](QuantizedGraph& g) { std::get<QConv>(g.nodes[0].op).clamp_min = 200; }, "clamp 200"},
    {"window", [](QuantizedGraph& g) { std::get<QConv>(g.nodes[0].op).window.stride[1] = 2; },
     "output of shape"},
    {"stride_zero", [](QuantizedGraph& g) { std::get<QConv>(g.nodes[0].op).window.stride[1] = 0; },
     "window setting"},
    {"groups", [](QuantizedGraph& g) { std::get<QConv>(g.nodes[0].op).groups = 3; }, "3 groups"},
    {"pool_scale", [](QuantizedGraph& g) { value_of(g, node_of(g, "max_pool").output).zero_point -= 1; },
     "the same on both sides"},
    {"softmax_scale", [](QuantizedGraph& g) { value_of(g, node_of(g, "softmax").output).zero_point = 0; },
     "1/256 and -128"},
    {"softmax_diff", [](QuantizedGraph& g) { std::get<QSoftmax>(node_of(g, "softmax").op).diff_min -= 1; },
     "diff_min"},
    {"add_factor",
     [](QuantizedGraph& g) { std::get<QAdd>(node_of(g, "add").op).left = to_requantization(0.3); },
     "left multiplier"},
    {"add_shift", [](QuantizedGraph& g) { std::get<QAdd>(node_of(g, "add").op).left_shift = 19; },
     "left shift 19"},
    {"reshape", [](QuantizedGraph& g) { value_of(g, node_of(g, "reshape").output).shape = {1, 47}; },
     "as many elements"},
    {"bias_overflow",
     [](QuantizedGraph& g) {
       value_of(g, g.nodes[0].inputs[2]).constant.as<std::int32_t>()[0] = INT32_MAX - 5;
     },
     "an accumulator of output 0"},
    {"bias_dtype", [](QuantizedGraph& g) { g.nodes[0].inputs[2] = g.nodes[0].inputs[1]; }, "bias int8"},
    {"shape_of_data", [](QuantizedGraph& g) { value_of(g, g.nodes[0].inputs[1]).shape[0] = 5; }, "data int8"},
    {"channel_scales", [](QuantizedGraph& g) { value_of(g, g.nodes[0].inputs[1]).channel_scales.pop_back(); },
     "3 channel scales"},
};

INSTANTIATE_TEST_SUITE_P(QuantizedGraph, Refusal, testing::ValuesIn(kSpoiled),
                         [](const auto& spoiled) { return std::string(spoiled.param.name); });

}  // namespace
}  // namespace compress
