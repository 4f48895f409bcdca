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

TEST(Plan, keeps_all_of_a_group_that_it_leaves_out) {
  const auto given = sample();
  auto plan = full_plan(given.graph, given.groups);
  plan.groups.erase(plan.groups.begin());
  EXPECT_EQ(complaint_about(plan, given), "no error");
}

TEST(Plan, refuses_groups_that_are_unknown_doubled_or_pinned) {
  const auto given = sample();
  const auto with = [&](const GroupPlan& group) {
    auto plan = full_plan(given.graph, given.groups);
    plan.groups.push_back(group);
    return complaint_about(plan, given);
  };
  EXPECT_THAT(with({"d", 2, {0}}), HasSubstr("plan, group 'd': no such group"));
  EXPECT_THAT(with({"a", 4, {0}}), HasSubstr("plan, group 'a': a second time"));
  EXPECT_THAT(with({"c", 2, {0}}), HasSubstr("may not be pruned: it is the network's output"));
}

TEST(Plan, is_compared_group_by_group) {
  const auto given = sample();
  auto first = full_plan(given.graph, given.groups), second = first;
  first.groups[0].kept = {0, 1};
  second.groups[0].kept = {1, 3};
  second.groups.pop_back();  // b keeps all, as in the first
  const auto differences = compare_plans(first, second);
  ASSERT_EQ(differences.size(), 2u);
  EXPECT_THAT(differences[0].both, ::testing::ElementsAre(1));
  EXPECT_THAT(differences[0].first_only, ::testing::ElementsAre(0));
  EXPECT_THAT(differences[0].second_only, ::testing::ElementsAre(3));
  EXPECT_EQ(differences[1].group, "b");
  EXPECT_TRUE(differences[1].first_only.empty() && differences[1].second_only.empty());
  EXPECT_EQ(compare_plans(second, first).size(), 2u);
  second.graph = "0123";
  EXPECT_THROW(compare_plans(first, second), Error);
}

TEST(Plan, is_written_with_a_line_a_group) {
  const auto given = sample();
  auto plan = full_plan(given.graph, given.groups);
  plan.groups[0].kept = {1, 3};
  EXPECT_THAT(plan_to_json(plan), HasSubstr("\n{\"group\":\"a\",\"size\":4,\"kept\":[1,3]},\n"));
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
