#include "libcompress/export/onnx_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/export/onnx/batch.h"
#include "libcompress/export/onnx/lowering.h"
#include "libcompress/export/onnx/wire.h"
#include "libcompress/graph/op.h"
#include "tests/graph/builder.h"

namespace compress {
namespace {

using testing::Builder;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text.push_back(static_cast<char>(value));
  return text;
}

Model random_model(Graph graph) {
  Random random(1);
  Model model = testing::with_random_weights(std::move(graph), random);
  model.name = "sample";
  return model;
}

Model sample() {
  Builder net({1, 2, 4, 4});
  return random_model(net.done(net.relu("r", net.conv("c", net.input(), 3, {.bias = true}))));
}

TEST(OnnxWire, writes_integers_as_varints) {
  EXPECT_EQ(onnx_export::Message().integer(1, 150).bytes(), bytes({0x08, 0x96, 0x01}));
  EXPECT_EQ(onnx_export::Message().integer(20, 1).bytes(), bytes({0xa0, 0x01, 0x01}));
  EXPECT_EQ(onnx_export::Message().integer(1, -1).bytes().size(), 11u);  // a negative int64 takes ten bytes
}

TEST(OnnxWire, writes_text_and_messages_with_their_length) {
  EXPECT_EQ(onnx_export::Message().text(2, "ab").bytes(), bytes({0x12, 2, 'a', 'b'}));
  EXPECT_EQ(onnx_export::Message().message(3, onnx_export::Message().integer(1, 5)).bytes(),
            bytes({0x1a, 2, 0x08, 5}));
}

TEST(OnnxWire, writes_numbers_as_little_endian_float32) {
  EXPECT_EQ(onnx_export::Message().number(2, 1.5f).bytes(), bytes({0x15, 0, 0, 0xc0, 0x3f}));
}

TEST(OnnxWriter, has_a_form_for_every_operator_of_the_table) {
  for (const auto& op : all_ops()) EXPECT_NE(onnx_export::find_lowering(op.name), nullptr) << op.name;
}

TEST(OnnxWriter, gives_the_same_bytes_for_the_same_model) {
  EXPECT_EQ(format_onnx(sample()), format_onnx(sample()));
}

TEST(OnnxWriter, keeps_weights_raw_under_their_names) {
  const Model model = sample();
  const auto file = format_onnx(model);
  for (const auto& [name, tensor] : model.weights) {
    const auto raw = tensor.bytes();
    EXPECT_THAT(file, HasSubstr(name));
    EXPECT_THAT(file, HasSubstr(std::string(reinterpret_cast<const char*>(raw.data()), tensor.byte_count())));
  }
}

TEST(OnnxWriter, carries_the_metadata_and_the_producer) {
  Model model = sample();
  model.metadata["classes"] = "cat,dog";
  EXPECT_THAT(format_onnx(model), HasSubstr("cat,dog"));
  EXPECT_THAT(format_onnx(model), HasSubstr("libcompress"));
}

TEST(OnnxWriter, refuses_more_than_two_gigabytes) {
  constexpr std::int64_t kWidth = 8192;
  constexpr int kLayers = 8;  // of 256 MiB each, which share their bytes
  const Tensor weight(DType::float32, {kWidth, kWidth});
  Model model;
  model.name = "wide";
  auto value = model.graph.add_input("input", {1, kWidth});
  for (int i = 0; i < kLayers; ++i) {
    const auto name = "linear" + std::to_string(i);
    const auto parameter = model.graph.add_parameter(name + ".weight", {kWidth, kWidth});
    value = model.graph.add_node("linear", name, {value, parameter});
    model.weights[name + ".weight"] = weight;
  }
  model.graph.set_outputs({value});
  try {
    format_onnx(model);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), HasSubstr("at most 2 GB"));
  }
}

TEST(OnnxBatch, grows_on_the_first_axis_of_a_plain_network) {
  const Model model = sample();
  const auto batch = onnx_export::find_batch_axes(model.graph);
  EXPECT_THAT(batch.fixed, IsEmpty());
  EXPECT_EQ(batch.axis[index_of(model.graph.outputs().front())], 0);
  EXPECT_EQ(batch.axis[index_of(*model.graph.find_value("c.weight"))], -1);
}

TEST(OnnxBatch, is_declared_by_the_first_input_that_has_axes) {
  Graph graph;
  const auto gain = graph.add_input("gain", {});
  graph.set_outputs({graph.add_node("mul", "m", {graph.add_input("x", {5, 3}), gain})});
  EXPECT_EQ(onnx_export::find_batch_axes(graph).declared, 5);
}

TEST(OnnxBatch, moves_with_a_permute) {
  Builder net({1, 2, 3});
  const Graph graph = net.done(net.permute("p", net.input(), {1, 2, 0}));
  EXPECT_EQ(onnx_export::find_batch_axes(graph).axis[index_of(graph.outputs().front())], 2);
}

TEST(OnnxBatch, is_fixed_by_a_reshape_to_constants_with_the_reason_in_the_file) {
  Builder net({1, 2, 3});
  const auto reshaped =
      net.graph.add_node("reshape", "view", {net.input()},
                         {{"shape", std::vector<std::int64_t>{6}}, {"batch_axis", std::int64_t{-1}}});
  const Graph graph = net.done(reshaped);
  EXPECT_THAT(fixed_batch_reason(graph), HasSubstr("node 'view'"));
  EXPECT_THAT(format_onnx(random_model(graph)), HasSubstr("The batch is fixed: node 'view'"));
}

TEST(OnnxBatch, is_fixed_where_a_linear_layer_sums_over_it) {
  Builder net({1, 4, 3});
  const auto turned = net.permute("p", net.input(), {1, 2, 0});
  const Graph graph = net.done(net.linear("fc", turned, 5));
  EXPECT_THAT(fixed_batch_reason(graph), HasSubstr("fc"));
}

}  // namespace
}  // namespace compress
