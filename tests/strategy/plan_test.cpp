#include "libcompress/strategy/plan.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "libcompress/base/error.h"
#include "tests/graph/builder.h"

namespace compress {
namespace {

using testing::Builder;
using ::testing::HasSubstr;

struct Sample {
  Graph graph;
  std::vector<PruningGroup> groups;
};

Sample sample() {
  Builder net({1, 3, 8, 8});
  const auto graph = net.done(net.conv("c", net.conv("b", net.conv("a", net.input(), 4), 5), 2));
  return {graph, find_groups(graph)};
}

std::string complaint_about(const PruningPlan& plan, const Sample& given) {
  try {
    verify_plan(plan, given.graph, given.groups);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "no error";
}

TEST(Plan, keeps_everything_of_prunable_groups_at_first) {
  const auto given = sample();
  const auto plan = full_plan(given.graph, given.groups);
  ASSERT_EQ(plan.groups.size(), 2u);
  EXPECT_EQ(plan.groups[1].kept.size(), 5u);
  EXPECT_EQ(complaint_about(plan, given), "no error");
}

TEST(Plan, comes_back_from_json) {
  const auto given = sample();
  auto plan = full_plan(given.graph, given.groups);
  plan.groups[0].kept = {1, 3};
  const auto again = plan_from_json(plan_to_json(plan), "test");
  EXPECT_EQ(plan_to_json(again), plan_to_json(plan));
  EXPECT_EQ(again.graph, fingerprint(given.graph));
}

TEST(Plan, text_has_one_line_a_group) {
  const auto given = sample();
  auto plan = full_plan(given.graph, given.groups);
  plan.groups[0].kept = {1};
  EXPECT_THAT(to_text(plan), HasSubstr("a      1 of     4  (25.0 %)\n"));
}

TEST(Plan, refuses_json_that_is_no_plan) {
  EXPECT_THROW(plan_from_json("{", "test"), Error);
  EXPECT_THROW(plan_from_json("[]", "test"), Error);
  EXPECT_THROW(plan_from_json(R"({"format":"libcompress plan 1","graph":3,"groups":[]})", "test"), Error);
  EXPECT_THROW(plan_from_json(R"({"format":"libcompress plan 9","graph":"","groups":[]})", "test"), Error);
}

TEST(Plan, refuses_another_graph) {
  const auto given = sample();
  auto plan = full_plan(given.graph, given.groups);
  plan.graph = "0123";
  EXPECT_THAT(complaint_about(plan, given), HasSubstr("made for graph 0123"));
}

TEST(Plan, refuses_missing_and_foreign_groups) {
  const auto given = sample();
  auto plan = full_plan(given.graph, given.groups);
  plan.groups.pop_back();
  EXPECT_THAT(complaint_about(plan, given), HasSubstr("no group 'b'"));
  plan = full_plan(given.graph, given.groups);
  plan.groups.push_back({"c", 2, {0}});
  EXPECT_THAT(complaint_about(plan, given), HasSubstr("group 'c'"));
}

TEST(Plan, refuses_indices_that_are_empty_doubled_unsorted_or_out_of_range) {
  const auto given = sample();
  for (const auto& kept : std::vector<std::vector<std::int64_t>>{{}, {1, 1}, {2, 1}, {-1}, {0, 4}}) {
    auto plan = full_plan(given.graph, given.groups);
    plan.groups[0].kept = kept;
    EXPECT_THAT(complaint_about(plan, given), HasSubstr("plan, group 'a'")) << kept.size();
  }
}

}  // namespace
}  // namespace compress
