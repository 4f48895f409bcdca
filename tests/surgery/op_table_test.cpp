// The oracle over random networks from the whole op table: no silent difference anywhere.
#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <set>

#include "libcompress/analysis/coupling.h"
#include "libcompress/graph/op.h"
#include "libcompress/runtime/executor.h"
#include "libcompress/surgery/surgery.h"
#include "tests/graph/builder.h"
#include "tests/graph/table_drawing.h"
#include "tests/surgery/plans.h"

namespace compress {
namespace {

constexpr double kTolerance = 5e-6;
constexpr int kNetworks = 1200;

/// The largest difference of the outputs over their scale, for a batch of 2.
double difference(const Model& pruned, const Model& twin, Random& random) {
  constexpr std::int64_t batch = 2;
  Executor small(pruned), large(twin);
  std::vector<float> input(static_cast<std::size_t>(batch * small.input_size()));
  for (auto& element : input) element = static_cast<float>(random.normal());
  const auto a = small.run(input, batch);
  const auto b = large.run(input, batch);
  if (a.size() != b.size()) return INFINITY;
  double scale = 0, worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    scale = std::max(scale, std::abs(static_cast<double>(b[i])));
    worst = std::max(worst, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return std::isfinite(worst) && scale > 0 ? worst / scale : INFINITY;
}

/// The operators of which some input shrinks by this plan.
std::set<std::string> operators_reached(const Graph& before, const Graph& after) {
  std::set<std::string> reached;
  for (const auto& node : before.nodes()) {
    for (const auto input : node.inputs) {
      const auto& value = before.value(input);
      const bool data = value.kind == ValueKind::activation;
      if (data && value.shape != after.value(input).shape) reached.insert(node.op);
    }
  }
  return reached;
}

TEST(OpTable, is_drawn_whole) {
  const auto drawn = testing::drawn_operators();
  for (const auto& op : all_ops())
    EXPECT_THAT(drawn, ::testing::Contains(op.name)) << "draw it in tests/graph/table_drawing.cpp";
}

TEST(OpTable, prunes_twelve_hundred_drawn_networks_as_their_masked_twins) {
  use_threads(1);  // these networks are too small for two
  Random random(2026);
  std::map<std::string, int> reached;
  int removed = 0;
  for (int i = 0; i < kNetworks && !::testing::Test::HasFailure(); ++i) {
    const auto graph = testing::draw_from_op_table(random);
    const auto model = testing::with_random_weights(graph, random);
    const auto groups = find_groups(graph);
    const auto plan = testing::random_plan(graph, groups, random);
    SCOPED_TRACE(::testing::Message() << "network " << i << "\n" << to_text(graph) << to_text(plan));
    const auto pruned = prune(model, groups, plan);
    EXPECT_LT(difference(pruned, masked_twin(model, groups, plan), random), kTolerance);
    for (const auto& op : operators_reached(graph, pruned.graph)) ++reached[op];
    for (const auto& group : plan.groups)
      removed += static_cast<int>(group.size) - static_cast<int>(group.kept.size());
  }
  EXPECT_GT(removed, 5 * kNetworks) << "the rules must not pin everything";
  for (const auto& op : testing::drawn_operators())
    EXPECT_GE(reached[op], 10) << op << " rarely saw anything that shrinks";
}

}  // namespace
}  // namespace compress
