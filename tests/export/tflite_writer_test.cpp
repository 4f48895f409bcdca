#include "libcompress/export/tflite_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libcompress/base/error.h"
#include "libcompress/quant/quantized_file.h"
#include "libcompress/quant/reference.h"
#include "libcompress/quant/tflite_network.h"
#include "tests/export/graphs.h"

namespace compress {
namespace {

using testing_graphs::Builder;

/// What TensorFlow Lite has a form for without a padding of its own; most activations have this width.
QuantizedGraph network(const std::string& profile, DType width = DType::int8) {
  Builder builder(7, {1, 8, 9, 4}, profile);
  const auto input = builder.to_width(builder.input(), width);
  const Window same{.kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}};
  const auto left = builder.conv(input, 6, same);
  const auto right = builder.conv(input, 6, same, 2);
  const auto deep = builder.conv(builder.add(left, right), 12, same, 6);
  const auto both = builder.concat({deep, left}, 3);
  const auto pooled = builder.max_pool(both, {.kernel = {2, 2}, .stride = {2, 2}});
  const auto mean = builder.average_pool(pooled, {.kernel = {4, 4}});
  const auto flat = builder.reshape(builder.transpose(mean, {0, 3, 1, 2}), {1, 18});
  const auto scores = builder.to_width(builder.linear(flat, 5), DType::int8);
  return builder.done({builder.softmax(scores)});
}

QuantizedGraph read_back(const QuantizedGraph& graph) {
  const auto bytes = tflite_bytes(graph);
  return parse_quantized_tflite(std::as_bytes(std::span(bytes)), "written", graph.profile);
}

class TfliteWriter : public testing::TestWithParam<const char*> {};

TEST_P(TfliteWriter, ANetworkReadBackComputesTheSameBytes) {
  const auto graph = network(GetParam());
  const ReferenceExecutor read(read_back(graph));
  for (const auto& [input, output] : testing_graphs::record(graph, 20, 3)) EXPECT_EQ(read.run(input), output);
}

TEST_P(TfliteWriter, ANetworkReadBackAndWrittenAgainIsTheSameFile) {
  const auto read = read_back(network(GetParam()));
  EXPECT_EQ(tflite_bytes(read_back(read)), tflite_bytes(read));
}

TEST_P(TfliteWriter, AClampThatIsNoFusedActivationBecomesOperatorsOfItsOwn) {
  for (const testing_graphs::Clamp clamp : {testing_graphs::Clamp{-101, 99}, {-128, 50}, {3, 127}}) {
    Builder builder(1, {1, 4, 4, 2}, GetParam());
    const auto x = builder.conv(builder.input(), 3, {}, 1, clamp);
    const auto graph = builder.done({builder.requantize(x, clamp)});
    const ReferenceExecutor read(read_back(graph));
    for (const auto& [input, output] : testing_graphs::record(graph, 20, 3))
      EXPECT_EQ(read.run(input), output) << clamp.lowest << " .. " << clamp.highest;
  }
}

TEST_P(TfliteWriter, ActivationsOf16BitsReadBackComputeTheSameBytes) {
  const auto graph = network(GetParam(), DType::int16);
  const ReferenceExecutor read(read_back(graph));
  for (const auto& [input, output] : testing_graphs::record(graph, 20, 3)) EXPECT_EQ(read.run(input), output);
}

TEST(WideActivations, ComeBackFromAnOwnFileAsTheyWere) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto graph = testing_graphs::random_wide_graph(seed);
    const auto file = format_quantized(graph);
    const auto read = parse_quantized(std::as_bytes(std::span(file)), "own");
    EXPECT_EQ(to_text(read), to_text(graph));
    EXPECT_EQ(format_quantized(read), file);
  }
}

INSTANTIATE_TEST_SUITE_P(Profiles, TfliteWriter, testing::Values("litert", "tflite-micro"),
                         [](const auto& about) { return about.index == 0 ? "litert" : "micro"; });

TEST(TfliteWriterErrors, AnAverageOverAPaddingThatTensorFlowLiteLacksIsRefused) {
  Builder builder(1, {1, 8, 8, 2});
  const auto x = builder.average_pool(
      builder.input(), {.kernel = {3, 3}, .stride = {2, 2}, .pad_begin = {1, 1}, .pad_end = {1, 1}});
  const auto graph = builder.done({x});
  EXPECT_THROW(tflite_bytes(graph), Error);
}

}  // namespace
}  // namespace compress
