#include "libcompress/pipeline/proof.h"

#include <gtest/gtest.h>

#include "libcompress/base/error.h"
#include "libcompress/surgery/surgery.h"
#include "models/acdnet/acdnet.h"

namespace compress {
namespace {

/// A small network of a family, pruned by hand, and inputs for it.
class ProofTest : public testing::Test {
 protected:
  ProofTest() {
    Catalog<ModelSource> catalog("model");
    register_acdnet(catalog);
    const std::vector<std::int64_t> channels{4, 6, 5, 6, 6, 7, 7, 8, 8, 9, 9, 4};
    family_ = catalog.make("acdnet", {{"classes", std::int64_t{4}},
                                      {"sample_rate", std::int64_t{8000}},
                                      {"input_length", std::int64_t{4000}},
                                      {"channels", channels}});
    Random random(7);
    model_ = family_->fresh(random);
    groups_ = find_groups(model_.graph, {{}, family_->spatial_nodes()});
    plan_ = full_plan(model_.graph, groups_);
    examples_.resize(3 * 4000);
    for (auto& element : examples_) element = static_cast<float>(random.normal());
  }

  void drop_last_of(const std::string& group) {
    for (auto& each : plan_.groups) {
      if (each.group == group) each.kept.pop_back();
    }
  }

  std::vector<Check> prove(const Model& pruned) const {
    const std::vector<Inputs> draws = {as_inputs(model_.graph, examples_)};
    return prove_surgery("prune", model_, groups_, plan_, pruned, family_.get(), draws);
  }

  std::unique_ptr<ModelSource> family_;
  Model model_;
  std::vector<PruningGroup> groups_;
  PruningPlan plan_;
  std::vector<float> examples_;
};

TEST_F(ProofTest, passes_a_network_that_lost_only_what_the_plan_says) {
  drop_last_of("conv5");
  const auto checks = prove(prune(model_, groups_, plan_));
  ASSERT_EQ(checks.size(), 1u);
  EXPECT_EQ(checks[0].verdict, Verdict::passed) << checks[0].detail;
}

TEST_F(ProofTest, fails_a_network_with_one_weight_changed) {
  drop_last_of("conv5");
  Model pruned = prune(model_, groups_, plan_);
  pruned.weights.at("conv4.weight").as<float>()[3] += 0.05f;
  EXPECT_EQ(prove(pruned)[0].verdict, Verdict::failed);
}

TEST_F(ProofTest, refuses_a_network_with_one_weight_changed_by_the_check_that_failed) {
  drop_last_of("conv5");
  Model pruned = prune(model_, groups_, plan_);
  EXPECT_NO_THROW(refuse_unproved("proof failed, nothing written", prove(pruned)));
  pruned.weights.at("conv4.weight").as<float>()[3] += 0.05f;
  const auto checks = prove(pruned);
  try {
    refuse_unproved("proof failed, nothing written", checks);
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::accuracy);
    EXPECT_EQ(error.what(), "proof failed, nothing written: " + checks[0].name + "; " + checks[0].detail);
  }
}

TEST_F(ProofTest, does_not_refuse_what_a_check_skipped) {
  const std::vector<Check> checks = {
      {"prune: rebuilt", Verdict::skipped, "no model plugin to build it anew"}};
  EXPECT_NO_THROW(refuse_unproved("proof failed", checks));
}

TEST_F(ProofTest, compares_channels_that_become_rows_with_the_network_built_anew) {
  drop_last_of("conv2");
  drop_last_of("conv7");
  const auto checks = prove(prune(model_, groups_, plan_));
  ASSERT_EQ(checks.size(), 2u);
  EXPECT_EQ(checks[0].verdict, Verdict::passed) << checks[0].detail;
  EXPECT_EQ(checks[1].verdict, Verdict::passed) << checks[1].detail;
}

/// a [1, 3] + b [1, 3], and its softmax as a second output.
Model two_inputs(float added) {
  Model model;
  auto& graph = model.graph;
  const auto a = graph.add_input("a", {1, 3});
  const auto b = graph.add_input("b", {1, 3});
  const auto bias = graph.add_parameter("bias", {3});
  model.weights["bias"] = Tensor::of({3}, std::vector<float>{added, 0, 0});
  const auto sum = graph.add_node("add", "biased", {graph.add_node("add", "sum", {a, b}), bias});
  graph.set_outputs({sum, graph.add_node("softmax", "softmax", {sum})});
  return model;
}

TEST(Difference, looks_at_every_output_for_any_number_of_inputs) {
  Random random(1);
  const std::vector<Inputs> draws = {random_inputs(two_inputs(0).graph, random)};
  ASSERT_EQ(draws[0].size(), 2u);
  EXPECT_EQ(difference_of(two_inputs(0), two_inputs(0), draws).relative, 0);
  EXPECT_GT(difference_of(two_inputs(0), two_inputs(0.5f), draws).relative, 0.01);
  EXPECT_EQ(difference_of(two_inputs(0), two_inputs(0), draws).inputs, 1);
}

TEST_F(ProofTest, skips_the_network_built_anew_without_a_family) {
  drop_last_of("conv2");
  const std::vector<Inputs> draws = {as_inputs(model_.graph, examples_)};
  const auto pruned = prune(model_, groups_, plan_);
  const auto checks = prove_surgery("prune", model_, groups_, plan_, pruned, nullptr, draws);
  ASSERT_EQ(checks.size(), 2u);
  EXPECT_EQ(checks[0].verdict, Verdict::passed) << checks[0].detail;
  EXPECT_EQ(checks[1].verdict, Verdict::skipped);
}

}  // namespace
}  // namespace compress
