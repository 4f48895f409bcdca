#include <gmock/gmock.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "libcompress/base/error.h"
#include "libcompress/graph/graph.h"
#include "tests/graph/builder.h"
#include "tests/graph/table_drawing.h"

namespace compress {
namespace {

using testing::Builder;
using ::testing::HasSubstr;

Graph sample() {
  Builder net({1, 2, 4, 4});
  const auto a = net.batch_norm("norm", net.conv("first", net.input(), 3, {.bias = true}));
  const auto fc = net.linear("fc", net.unary("flatten", "flat", net.relu("r", a)), 5);
  return net.done(net.unary("softmax", "out", fc));
}

TEST(GraphText, has_one_line_a_node) {
  const auto text = to_text(sample());
  EXPECT_THAT(text, HasSubstr("input: input -> [1, 2, 4, 4]\n"));
  EXPECT_THAT(text, HasSubstr("first: conv(input, first.weight, first.bias) dilation=[1, 1] groups=1 "
                              "padding=[1, 1, 1, 1] stride=[1, 1] -> [1, 3, 4, 4]\n"));
}

TEST(GraphText, dot_has_every_node_and_edge) {
  const auto dot = to_dot(sample());
  EXPECT_THAT(dot, HasSubstr("digraph"));
  EXPECT_THAT(dot, HasSubstr("n0 -> n1;"));
  EXPECT_THAT(dot, HasSubstr("v0 -> n0;"));
}

TEST(GraphJson, comes_back_as_the_same_graph) {
  const auto graph = sample();
  const auto again = graph_from_json(graph_to_json(graph), "test");
  EXPECT_EQ(to_text(again), to_text(graph));
  EXPECT_EQ(fingerprint(again), fingerprint(graph));
}

TEST(GraphJson, random_graphs_come_back) {
  Random random(3);
  for (int i = 0; i < 50; ++i) {
    const auto graph = testing::random_graph(random);
    EXPECT_EQ(to_text(graph_from_json(graph_to_json(graph), "test")), to_text(graph));
  }
}

TEST(GraphJson, attributes_that_an_older_file_lacks_have_their_defaults) {
  const auto graph = graph_from_json(
      R"({"format": "libcompress graph 1",
          "values": [{"name": "input", "kind": "input", "shape": [1, 2, 4, 4]}],
          "nodes": [{"name": "pool", "op": "max_pool", "inputs": ["input"],
                     "attributes": {"kernel": [2, 2], "stride": [2, 2], "padding": [0, 0, 0, 0]}}],
          "outputs": ["pool"]})",
      "test");
  EXPECT_FALSE(graph.nodes()[0].attributes.boolean("ceil"));
  EXPECT_EQ(graph.value(graph.outputs()[0]).shape, (Shape{1, 2, 2, 2}));
}

TEST(GraphJson, numbers_that_a_file_cannot_hold_are_refused) {
  Builder net({1, 2});
  try {
    net.graph.add_node("clip", "c", {net.input()}, {{"max", std::numeric_limits<double>::infinity()}});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("attribute 'max' of inf; allowed: finite numbers"));
  }
}

TEST(GraphJson, every_kind_of_attribute_comes_back) {
  Random random(2);
  for (int i = 0; i < 50; ++i) {
    const auto graph = testing::draw_from_op_table(random);
    EXPECT_EQ(to_text(graph_from_json(graph_to_json(graph), "test")), to_text(graph));
  }
}

TEST(GraphJson, refuses_what_is_no_graph) {
  EXPECT_THROW(graph_from_json("{", "test"), Error);
  EXPECT_THROW(graph_from_json("[]", "test"), Error);
  EXPECT_THROW(graph_from_json(R"({"format":"libcompress graph 2"})", "test"), Error);
}

TEST(GraphJson, refuses_a_shape_that_overflows) {
  auto json = nlohmann::json::parse(graph_to_json(sample()));
  json["values"][0]["shape"] = {1, 1LL << 39, 1LL << 39, 4};
  EXPECT_THROW(graph_from_json(json.dump(), "test"), Error);
}

TEST(GraphJson, refuses_a_node_that_reads_what_nothing_makes) {
  auto json = nlohmann::json::parse(graph_to_json(sample()));
  json["nodes"][1]["inputs"][0] = "nothing";
  try {
    graph_from_json(json.dump(), "file.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("file.json: node 'norm'"));
    EXPECT_THAT(error.what(), HasSubstr("'nothing'"));
  }
}

TEST(Fingerprint, changes_with_structure_attributes_and_shapes) {
  const auto base = fingerprint(sample());
  Builder other({1, 2, 4, 4});
  const auto a =
      other.batch_norm("norm", other.conv("first", other.input(), 3, {.stride = {2, 2}, .bias = true}));
  const auto fc = other.linear("fc", other.unary("flatten", "flat", other.relu("r", a)), 5);
  EXPECT_NE(fingerprint(other.done(other.unary("softmax", "out", fc))), base);
  EXPECT_EQ(fingerprint(sample()), base);
}

}  // namespace
}  // namespace compress
