#include "plugins/strategies/strategies.h"

#include <gmock/gmock.h>

#include "libcompress/base/error.h"

namespace compress {
namespace {

Catalog<Strategy> strategies() {
  Catalog<Strategy> catalog("strategy");
  register_structured(catalog);
  register_hybrid(catalog);
  return catalog;
}

TEST(Structured, prunes_at_once_by_default) {
  const auto steps = strategies().make("structured", {})->schedule(30);
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].kind, Step::Kind::prune);
  EXPECT_EQ(steps[0].amount, 1.0);
  EXPECT_EQ(steps[0].epochs, 30);
}

TEST(Structured, shares_the_epochs_among_its_steps) {
  const auto steps =
      strategies()
          .make("structured", {{"schedule", std::string("iterative")}, {"steps", std::int64_t{3}}})
          ->schedule(20);
  ASSERT_EQ(steps.size(), 3u);
  std::int64_t epochs = 0;
  for (const auto& step : steps) epochs += step.epochs;
  EXPECT_EQ(epochs, 20);
  EXPECT_NEAR(steps[0].amount, 1.0 / 3, 1e-12);
  EXPECT_EQ(steps[2].amount, 1.0);
}

TEST(Hybrid, sparsifies_before_it_prunes) {
  const auto steps =
      strategies().make("hybrid", {{"sparsity", 0.9}, {"sparsify_epochs", std::int64_t{7}}})->schedule(12);
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].kind, Step::Kind::sparsify);
  EXPECT_EQ(steps[0].amount, 0.9);
  EXPECT_EQ(steps[0].epochs, 7);
  EXPECT_EQ(steps[1].kind, Step::Kind::prune);
  EXPECT_EQ(steps[1].epochs, 12);
}

TEST(Strategies, check_their_options) {
  EXPECT_THROW(strategies().make("structured", {{"schedule", std::string("never")}}), Error);
  EXPECT_THROW(strategies().make("structured", {{"steps", std::int64_t{0}}}), Error);
  EXPECT_THROW(strategies().make("hybrid", {{"sparsity", 1.5}}), Error);
  EXPECT_THROW(strategies().make("hybrid", {{"selection", std::string("random")}}), Error);
}

}  // namespace
}  // namespace compress
