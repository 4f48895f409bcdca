#include "libcompress/strategy/index_flow.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/graph/builder.h"

namespace compress {
namespace {

using testing::Builder;
using testing::ConvSpec;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const ConvSpec kPoint{.kernel = {1, 1}, .padding = {0, 0}};

/// "fc[0] axis 1, 2 elements: 0.0 0.1 -": a tap with the group and index of each position.
std::vector<std::string> as_text(const Graph& graph, const std::vector<GroupTap>& taps) {
  std::vector<std::string> lines;
  for (const auto& [tap, indices, elements] : taps) {
    auto& line = lines.emplace_back(graph.node(tap.node).name);
    if (!tap.is_output()) line += fmt::format("[{}]", tap.operand);
    line += fmt::format(" axis {}, {} elements:", tap.axis, elements);
    for (const auto& each : indices)
      line += each.group < 0 ? " -" : fmt::format(" {}.{}", each.group, each.index);
  }
  return lines;
}

TEST(IndexFlow, finds_where_weights_make_and_read_indices) {
  Builder net({1, 1, 1, 2});
  const auto a = net.batch_norm("n", net.conv("a", net.input(), 2, kPoint));
  const auto graph = net.done(net.linear("fc", net.unary("flatten", "f", net.relu("r", a)), 1));
  const IndexFlow flow(graph, find_groups(graph));
  EXPECT_THAT(as_text(graph, flow.made()), ElementsAre("a axis 1, 2 elements: 0.0 0.1"));
  EXPECT_THAT(as_text(graph, flow.read()), ElementsAre("fc[0] axis 1, 1 elements: 0.0 0.0 0.1 0.1"));
}

TEST(IndexFlow, tells_making_from_reading_where_both_are_of_one_group) {
  Builder net({1, 1, 2, 2});
  const auto a = net.conv("a", net.input(), 2, kPoint);
  const auto sum = net.add("sum", a, net.conv("b", a, 2, kPoint));
  const auto graph = net.done(net.conv("c", sum, 1));
  const IndexFlow flow(graph, find_groups(graph));
  EXPECT_THAT(as_text(graph, flow.made()),
              ElementsAre("a axis 1, 4 elements: 0.0 0.1", "b axis 1, 4 elements: 0.0 0.1"));
  EXPECT_THAT(as_text(graph, flow.read()),
              ElementsAre("b[0] axis 1, 4 elements: 0.0 0.1", "c[0] axis 1, 4 elements: 0.0 0.1"));
  const auto weight = *graph.find_value("b.weight");
  EXPECT_TRUE(flow.is_filter_axis({weight, 0}));
  EXPECT_FALSE(flow.is_filter_axis({weight, 1}));
}

TEST(IndexFlow, keeps_the_groups_of_joined_channels_apart) {
  Builder net({1, 1, 2, 2});
  const auto a = net.conv("a", net.input(), 2, kPoint), b = net.conv("b", net.input(), 2, kPoint);
  const auto graph = net.done(net.conv("c", net.concat("both", {b, a}), 1));
  const IndexFlow flow(graph, find_groups(graph));
  EXPECT_THAT(as_text(graph, flow.read()), ElementsAre("c[0] axis 1, 4 elements: 1.0 1.1 0.0 0.1"));
}

TEST(IndexFlow, counts_channels_that_become_rows_as_read_where_they_do) {
  Builder net({1, 1, 4, 4});
  const auto a = net.conv("a", net.input(), 6);
  const auto graph = net.done(net.conv("c", net.permute("p", a, {0, 2, 1, 3}), 2));
  const IndexFlow flow(graph, find_groups(graph, {.spatial = {"a"}}));
  EXPECT_THAT(as_text(graph, flow.read()), ElementsAre("c[0] axis 2, 16 elements: 0.0 0.1 0.2 0.3 0.4 0.5"));
}

TEST(IndexFlow, leaves_out_what_cannot_be_pruned) {
  Builder net({1, 1, 2, 2});
  const auto graph = net.done(net.conv("c", net.conv("a", net.input(), 2), 2));
  const IndexFlow flow(graph, find_groups(graph, {.ignore = {"a"}}));
  EXPECT_THAT(flow.made(), IsEmpty());
  EXPECT_THAT(flow.read(), IsEmpty());
}

}  // namespace
}  // namespace compress
