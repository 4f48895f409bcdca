#include "libcompress/strategy/landing.h"

#include <gtest/gtest.h>

#include "libcompress/base/error.h"
#include "tests/graph/builder.h"

namespace compress {
namespace {

/// A network drawn from the op table, with drawn scores and a budget.
struct Drawn {
  Model model;
  std::vector<PruningGroup> groups;
  std::vector<Scores> scores;
  Budget budget;

  Drawn(Random& random, double part)
      : model(testing::with_random_weights(testing::random_graph(random), random)) {
    groups = find_groups(model.graph);
    for (const auto& group : groups) {
      scores.emplace_back();
      for (std::int64_t i = 0; i < group.size; ++i) scores.back().push_back(random.uniform(0.1, 2.0));
    }
    const auto params = static_cast<double>(cost_of(model.graph).params);
    budget.bounds = {{Resource::params, static_cast<std::int64_t>(part * params)}};
  }

  PlanRequest request() const { return {model, groups, scores, budget, {}}; }
};

double choices(const WidthSpace& space) {
  double product = 1.0;
  for (std::size_t g = 0; g < space.size(); ++g)
    product *= static_cast<double>(space.ceilings()[g] - space.floors()[g] + 1);
  return product;
}

/// Whether any widths at all land, by trying all.
bool some_widths_land(const WidthSpace& space) {
  Widths widths = space.floors();
  while (!space.lands(widths)) {
    std::size_t g = 0;
    for (; g < space.size() && widths[g] == space.ceilings()[g]; ++g) widths[g] = space.floors()[g];
    if (g == space.size()) return false;
    ++widths[g];
  }
  return true;
}

TEST(Landing, finds_widths_within_the_tolerance_where_there_are_some) {
  Random random(5);
  int possible = 0, missed = 0;
  for (int i = 0; i < 60; ++i) {
    const Drawn drawn(random, random.uniform(0.3, 0.8));
    const auto request = drawn.request();
    const WidthSpace space(request);
    if (!space.fits(space.floors()) || choices(space) > 20000 || !some_widths_land(space)) continue;
    ++possible;
    try {
      select_globally(request);
    } catch (const Error&) {
      ++missed;
    }
  }
  EXPECT_GT(possible, 15);
  EXPECT_LE(missed, possible / 20) << "of " << possible;
}

TEST(Landing, keeps_to_the_budget_and_to_the_limits) {
  Random random(6);
  for (int i = 0; i < 20; ++i) {
    const Drawn drawn(random, 0.6);
    auto request = drawn.request();
    request.limits = {.round_to = 2, .min_channels = 2};
    const WidthSpace space(request);
    if (!space.fits(space.floors())) continue;
    const auto widths = land(space, by_rank(space).worth, space.floors());
    EXPECT_TRUE(space.fits(widths));
    for (std::size_t g = 0; g < space.size(); ++g) EXPECT_EQ(space.allowed(g, widths[g]), widths[g]) << g;
  }
}

}  // namespace
}  // namespace compress
