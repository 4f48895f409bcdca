// Random networks: every plan must pass the static proof, and prices must agree with the pruned graph.
#include <gtest/gtest.h>

#include "libcompress/analysis/cost.h"
#include "libcompress/analysis/shrink.h"
#include "libcompress/surgery/surgery.h"
#include "tests/graph/builder.h"
#include "tests/surgery/plans.h"

namespace compress {
namespace {

TEST(DrawnNetworks, pass_the_static_proof_for_any_plan) {
  Random random(20);
  int prunable = 0;
  for (int i = 0; i < 400; ++i) {
    const auto graph = testing::random_graph(random);
    const auto groups = find_groups(graph);
    for (const auto& group : groups) prunable += group.prunable;
    const auto plan = testing::random_plan(graph, groups, random);
    EXPECT_NO_THROW(pruned_graph(graph, groups, plan)) << i << "\n" << to_text(graph) << to_text(plan);
  }
  EXPECT_GT(prunable, 1000) << "the drawing must not pin everything";
}

TEST(DrawnNetworks, survive_being_pruned_twice) {
  Random random(21);
  for (int i = 0; i < 100; ++i) {
    const auto graph = testing::random_graph(random);
    const auto groups = find_groups(graph);
    const auto once = pruned_graph(graph, groups, testing::random_plan(graph, groups, random));
    const auto left = find_groups(once);
    EXPECT_NO_THROW(pruned_graph(once, left, testing::random_plan(once, left, random)))
        << to_text(graph) << to_text(once);
  }
}

TEST(DrawnNetworks, cost_what_was_predicted) {
  Random random(22);
  for (int i = 0; i < 100; ++i) {
    const auto graph = testing::random_graph(random);
    const auto groups = find_groups(graph);
    const auto plan = testing::random_plan(graph, groups, random);
    KeptIndices kept;
    std::size_t next = 0;
    for (const auto& group : groups)
      kept.push_back(group.prunable ? plan.groups[next++].kept : all_indices(group.size));
    const auto predicted = CostModel(graph).cost(Shrinker(graph, groups).shrink(kept));
    const auto actual = cost_of(pruned_graph(graph, groups, plan));
    EXPECT_EQ(predicted.params, actual.params);
    EXPECT_EQ(predicted.macs, actual.macs);
    EXPECT_EQ(predicted.flash_bytes, actual.flash_bytes);
    EXPECT_EQ(predicted.peak_ram_bytes, actual.peak_ram_bytes);
  }
}

}  // namespace
}  // namespace compress
