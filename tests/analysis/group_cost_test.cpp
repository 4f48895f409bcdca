#include "libcompress/analysis/group_cost.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/graph/builder.h"

namespace compress {
namespace {

using testing::Builder;

GroupCost cost_of_group(const Graph& graph, const std::string& name) {
  const auto groups = find_groups(graph);
  const auto found =
      std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.name == name; });
  return cost_of_groups(graph, groups).at(static_cast<std::size_t>(found - groups.begin()));
}

TEST(GroupCost, counts_makers_norms_and_readers) {
  Builder net({1, 3, 4, 4});
  const auto a = net.batch_norm("bn", net.conv("a", net.input(), 8));
  const Graph graph = net.done(net.conv("b", a, 5, {.kernel = {1, 1}, .padding = {0, 0}}));
  const auto cost = cost_of_group(graph, "a");
  EXPECT_EQ(cost.params, 8 * 3 * 9 + 8 + 8 + 5 * 8);  // statistics are no parameters
  EXPECT_EQ(cost.bytes, 4 * cost.params);
  EXPECT_EQ(cost.macs, 16 * (8 * 3 * 9 + 5 * 8));
  EXPECT_DOUBLE_EQ(cost.params_an_index, 3 * 9 + 1 + 1 + 5);
  EXPECT_DOUBLE_EQ(cost.macs_an_index, 16 * (3 * 9 + 5));
}

TEST(GroupCost, counts_an_element_once_that_two_axes_take) {
  Builder net({1, 3, 4, 4});
  const auto a = net.conv("a", net.input(), 8);
  const auto sum = net.add("sum", a, net.conv("b", a, 8));
  const Graph graph = net.done(net.conv("c", sum, 5, {.kernel = {1, 1}, .padding = {0, 0}}));
  const auto cost = cost_of_group(graph, "a");
  EXPECT_EQ(cost.params, 8 * 3 * 9 + 8 * 8 * 9 + 5 * 8);
  EXPECT_NEAR(cost.params_an_index, 3 * 9 + (8 * 8 - 7 * 7) * 9 + 5, 1e-9);
}

}  // namespace
}  // namespace compress
