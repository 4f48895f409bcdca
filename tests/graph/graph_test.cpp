#include "libcompress/graph/graph.h"

#include <gmock/gmock.h>

#include "libcompress/base/error.h"
#include "tests/graph/builder.h"

namespace compress {
namespace {

using testing::Builder;
using ::testing::ElementsAre;

TEST(Graph, orders_nodes_after_what_they_read) {
  Builder net({1, 2, 4, 4});
  const auto a = net.conv("a", net.input(), 2);
  const auto b = net.conv("b", net.input(), 2);
  const auto sum = net.add("sum", b, a);
  const auto graph = net.done(sum);
  std::vector<std::string> names;
  for (const auto id : graph.topological_order()) names.push_back(graph.node(id).name);
  EXPECT_THAT(names, ElementsAre("a", "b", "sum"));
}

TEST(Graph, finds_values_nodes_producers_and_consumers) {
  Builder net({1, 2, 4, 4});
  const auto a = net.conv("a", net.input(), 2);
  const auto r = net.relu("r", a);
  const auto graph = net.done(net.add("sum", a, r));
  EXPECT_EQ(graph.find_value("a"), a);
  EXPECT_FALSE(graph.find_node("z"));
  EXPECT_EQ(graph.producer(r)->name, "r");
  EXPECT_EQ(graph.producer(graph.inputs()[0]), nullptr);
  std::vector<std::string> readers;
  for (const auto id : graph.consumers(a)) readers.push_back(graph.node(id).name);
  EXPECT_THAT(readers, ElementsAre("r", "sum"));
}

TEST(Graph, a_node_that_reads_a_value_twice_is_one_consumer) {
  Builder net({1, 2, 4, 4});
  const auto a = net.conv("a", net.input(), 2);
  const auto graph = net.done(net.add("twice", a, a));
  EXPECT_EQ(graph.consumers(a).size(), 1u);
}

TEST(Graph, refuses_a_name_used_twice) {
  Builder net({1, 2, 4, 4});
  net.relu("r", net.input());
  EXPECT_THROW(net.relu("r", net.input()), Error);
  EXPECT_THROW(net.graph.add_parameter("r", {1}), Error);
}

TEST(Graph, a_copy_is_another_graph) {
  Builder net({1, 2, 4, 4});
  const auto a = net.conv("a", net.input(), 2);
  Graph copy = net.graph;
  copy.add_node("relu", "later", {a});
  EXPECT_FALSE(net.graph.find_node("later"));
}

TEST(Graph, reshaped_infers_every_shape_again) {
  Builder net({1, 2, 4, 4});
  const auto a = net.conv("a", net.input(), 8);
  const auto flat = net.unary("flatten", "f", a);
  const auto graph = net.done(flat);
  const auto smaller = graph.reshaped({{*graph.find_value("a.weight"), {3, 2, 3, 3}}}, {});
  EXPECT_THAT(smaller.value(flat).shape, ElementsAre(1, 48));
  EXPECT_THAT(graph.value(flat).shape, ElementsAre(1, 128));
}

}  // namespace
}  // namespace compress
