#include "libcompress/quant/widen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "libcompress/base/error.h"
#include "libcompress/quant/compare.h"
#include "tests/quant/networks.h"

namespace compress {
namespace {

using test::NetworkBuilder;
using test::quantized;
using test::random_inputs;
using test::small_quantized_graph;

const QValue& value_named(const QuantizedGraph& graph, const std::string& name) {
  const auto found = std::find_if(graph.values.begin(), graph.values.end(),
                                  [&](const QValue& value) { return value.name == name; });
  return found == graph.values.end() ? throw std::logic_error("no value " + name) : *found;
}

std::string complaint_about(const std::string& node) {
  try {
    widened(small_quantized_graph(), {node});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "accepted";
}

TEST(Widen, leaves_what_is_not_named_as_it_was) {
  EXPECT_EQ(to_text(widened(small_quantized_graph(), {})), to_text(small_quantized_graph()));
}

TEST(Widen, goes_to_16_bits_and_back_once_a_value) {
  const auto graph = widened(small_quantized_graph(), {"conv1", "conv2"});
  EXPECT_EQ(graph.nodes.size(), small_quantized_graph().nodes.size() + 3);
  EXPECT_EQ(value_named(graph, "input in 16 bits").dtype, DType::int16);
  EXPECT_EQ(value_named(graph, "relu1").dtype, DType::int16);
  EXPECT_EQ(value_named(graph, "relu1 in 8 bits").scale, value_named(small_quantized_graph(), "relu1").scale);
}

TEST(Widen, keeps_the_zero_of_a_relu) {
  const auto graph = widened(small_quantized_graph(), {"conv1"});
  const auto conv = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                 [](const QNode& node) { return node.name == "conv1"; });
  EXPECT_EQ(std::get<QConv>(conv->op).clamp_min, 0);
  EXPECT_EQ(std::get<QConv>(conv->op).clamp_max, 32767);
}

TEST(Widen, brings_a_chain_of_layers_nearer_to_float32) {
  const auto model = NetworkBuilder({1, 3, 8, 8})
                         .conv("conv1", 6, {3, 3}, {1, 1})
                         .conv("conv2", 6, {3, 3}, {1, 1})
                         .conv("conv3", 6, {3, 3}, {1, 1})
                         .finish();
  const auto inputs = random_inputs(model, 8);
  const auto graph = quantized(model, inputs);
  const auto narrow = compare(model, graph, inputs, 8);
  const auto wide = compare(model, widened(graph, {"conv1", "conv2"}), inputs, 8);
  const auto sqnr_of = [](const NetworkDifference& difference, const std::string& value) {
    for (const auto& layer : difference.layers)
      if (layer.value == value) return layer.sqnr_db;
    throw std::logic_error("no layer " + value);
  };
  EXPECT_GT(sqnr_of(wide, "conv1"), sqnr_of(narrow, "conv1"));
  EXPECT_GT(sqnr_of(wide, "conv2"), sqnr_of(narrow, "conv2"));
}

TEST(Widen, refuses_a_name_that_no_node_has_and_an_operator_without_16_bits) {
  EXPECT_THAT(complaint_about("conv9"), testing::HasSubstr("no node 'conv9'"));
  EXPECT_THAT(complaint_about("probabilities"), testing::HasSubstr("softmax in 16 bits"));
}

}  // namespace
}  // namespace compress
