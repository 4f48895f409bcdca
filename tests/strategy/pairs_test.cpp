// Every criterion with every strategy that the library has, on three kinds of network. A new plugin is in
// these tests as soon as it is in the tree.
#include <gtest/gtest.h>

#include "libcompress/analysis/cost.h"
#include "libcompress/pipeline/proof.h"
#include "libcompress/runtime/executor.h"
#include "libcompress/surgery/surgery.h"
#include "libcompress/train/gradients.h"
#include "models/acdnet/network.h"
#include "plugins/built_in.h"
#include "tests/graph/builder.h"

namespace compress {
namespace {

using testing::Builder;

/// Noise with labels that say nothing: enough for gradients that differ between channels.
class Noise final : public DataSet {
 public:
  Noise(Shape shape, std::int64_t targets)
      : shape_(std::move(shape)), names_(static_cast<std::size_t>(targets), "noise") {}

  Shape input_shape() const override { return shape_; }
  const std::vector<std::string>& class_names() const override { return names_; }
  std::int64_t target_count() const override { return static_cast<std::int64_t>(names_.size()); }
  std::int64_t size(Part) const override { return 8; }
  void training_example(std::int64_t index, Random& random, std::span<float> input,
                        std::span<float> target) const override {
    for (auto& element : input) element = static_cast<float>(random.normal());
    std::fill(target.begin(), target.end(), 0.0F);
    target[static_cast<std::size_t>(index) % target.size()] = 1;
  }
  std::int64_t view_count() const override { return 1; }
  std::int64_t evaluation_views(Part, std::int64_t, std::span<float>) const override { return 0; }
  std::string clip_name(Part, std::int64_t) const override { return "noise"; }
  std::string description() const override { return "noise"; }

 private:
  Shape shape_;
  std::vector<std::string> names_;
};

ValueId classified(Builder& net, ValueId x) {
  return net.linear("fc", net.unary("flatten", "flat", net.unary("global_avg_pool", "gap", x)), 10);
}

ValueId normalized(Builder& net, const std::string& name, ValueId x) {
  return net.batch_norm(name + ".bn", x);
}

/// ResNet-18 (He et al., CVPR 2016) at half its widths, for images of 16 x 16.
Graph resnet() {
  Builder net({1, 3, 16, 16});
  auto x = net.relu("stem.relu", normalized(net, "stem", net.conv("stem", net.input(), 32)));
  std::int64_t channels = 32;
  for (int stage = 1; stage <= 4; ++stage, channels *= 2) {
    for (int block = 1; block <= 2; ++block) {
      const auto name = "layer" + std::to_string(stage) + "." + std::to_string(block);
      const bool narrows = stage > 1 && block == 1;
      const std::vector<std::int64_t> stride =
          narrows ? std::vector<std::int64_t>{2, 2} : std::vector<std::int64_t>{1, 1};
      auto y = net.conv(name + ".a", x, channels, {.stride = stride});
      y = net.relu(name + ".relu", normalized(net, name + ".a", y));
      y = normalized(net, name + ".b", net.conv(name + ".b", y, channels));
      if (narrows)
        x = normalized(
            net, name + ".down",
            net.conv(name + ".down", x, channels, {.kernel = {1, 1}, .stride = stride, .padding = {0, 0}}));
      x = net.relu(name + ".out", net.add(name + ".add", x, y));
    }
  }
  return net.done(classified(net, x));
}

/// MobileNetV1 (Howard et al., arXiv 1704.04861) with its first nine layers, for images of 32 x 32.
Graph depthwise() {
  Builder net({1, 3, 32, 32});
  auto x =
      net.relu("stem.relu", normalized(net, "stem", net.conv("stem", net.input(), 32, {.stride = {2, 2}})));
  int layer = 0;
  for (const std::int64_t channels : {64, 128, 128, 256, 256, 512, 512, 512}) {
    const auto name = "layer" + std::to_string(++layer);
    x = net.relu(name + ".dw.relu", normalized(net, name + ".dw", net.depthwise(name + ".dw", x)));
    x = net.conv(name + ".pw", x, channels, {.kernel = {1, 1}, .padding = {0, 0}});
    x = net.relu(name + ".pw.relu", normalized(net, name + ".pw", x));
    if (layer % 3 == 1) x = net.pool("max_pool", name + ".pool", x, {2, 2});
  }
  return net.done(classified(net, x));
}

Graph acdnet_as_published() { return acdnet::network({}); }

struct Network {
  std::string name;
  Graph (*graph)();
};

/// A network with its groups, and the scores of one criterion.
struct Scored {
  Model model;
  std::vector<PruningGroup> groups;
  std::vector<Scores> scores;

  Scored(const Network& network, const std::string& criterion) {
    Random random(11);
    model = testing::with_random_weights(network.graph(), random);
    groups = find_groups(model.graph);
    const auto& in = model.graph.value(model.graph.inputs().front()).shape;
    const auto& out = model.graph.value(model.graph.outputs().front()).shape;
    const Noise data({in.begin() + 1, in.end()}, out[1]);
    const auto gradients = make_gradient_source(model, data, {.batches = 2, .batch_size = 4});
    scores = built_in_plugins().criteria.make(criterion, {})->score_all(groups, {model, 1, gradients.get()});
  }
};

class EveryPair : public ::testing::TestWithParam<std::tuple<Network, std::string>> {};

TEST_P(EveryPair, reaches_half_and_a_fifth_and_equals_its_masked_twin) {
  use_threads(1);  // the networks are too small for two
  const auto& [network, criterion] = GetParam();
  const Scored scored(network, criterion);
  const auto unpruned = cost_of(scored.model.graph).params;
  const auto plugins = built_in_plugins();
  Random random(12);
  const std::vector<Inputs> draws = {random_inputs(scored.model.graph, random)};
  for (const auto& strategy : plugins.strategies.names()) {
    for (const std::int64_t percent : {50, 20}) {
      const auto amount = unpruned * percent / 100;
      const Budget budget{{{Resource::params, amount}}};
      const auto plan = plugins.strategies.make(strategy, {})
                            ->plan({scored.model, scored.groups, scored.scores, budget, {}});
      const auto small = prune(scored.model, scored.groups, plan);
      const auto where = strategy + " " + std::to_string(percent) + " %";
      const auto reached = static_cast<double>(cost_of(small.graph).params) / static_cast<double>(amount);
      EXPECT_LE(reached, 1.0) << where;
      EXPECT_GE(reached, 1.0 - budget.tolerance) << where;
      const auto checks = prove_surgery("prune", scored.model, scored.groups, plan, small, nullptr, draws);
      ASSERT_FALSE(checks.empty());
      for (const auto& check : checks)
        EXPECT_EQ(check.verdict, Verdict::passed) << where << ": " << check.detail;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Networks, EveryPair,
    ::testing::Combine(::testing::Values(Network{"acdnet", acdnet_as_published}, Network{"resnet", resnet},
                                         Network{"depthwise", depthwise}),
                       ::testing::ValuesIn(built_in_plugins().criteria.names())),
    [](const auto& pair) { return std::get<0>(pair.param).name + "_" + std::get<1>(pair.param); });

}  // namespace
}  // namespace compress
