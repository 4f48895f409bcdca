// Every operator against stock PyTorch (make_reference.py wrote what it gives), and networks in training.
#include "libcompress/runtime/kernels.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>

#include "libcompress/graph/op.h"
#include "libcompress/import/safetensors.h"
#include "libcompress/runtime/network.h"

namespace compress {
namespace {

using Integers = std::vector<std::int64_t>;

struct Case {
  std::string name;
  std::string op;
  Attributes attributes;
};

std::vector<Case> cases() {
  return {
      {"conv",
       "conv",
       {{"stride", Integers{2, 1}},
        {"padding", Integers{1, 2, 1, 2}},
        {"dilation", Integers{2, 1}},
        {"groups", std::int64_t{2}}}},
      {"conv_uneven", "conv", {{"padding", Integers{2, 0, 1, 3}}}},
      {"conv1d", "conv", {{"stride", Integers{2}}, {"padding", Integers{2, 2}}, {"dilation", Integers{1}}}},
      {"conv3d",
       "conv",
       {{"stride", Integers{1, 1, 1}},
        {"padding", Integers{1, 1, 1, 1, 1, 1}},
        {"dilation", Integers{1, 1, 1}}}},
      {"linear", "linear", {}},
      {"max_pool",
       "max_pool",
       {{"kernel", Integers{3, 2}}, {"stride", Integers{2, 2}}, {"padding", Integers{1, 1, 1, 1}}}},
      {"max_pool_wide",
       "max_pool",
       {{"kernel", Integers{3, 3}}, {"stride", Integers{1, 1}}, {"padding", Integers{2, 2, 2, 2}}}},
      {"avg_pool",
       "avg_pool",
       {{"kernel", Integers{2, 3}}, {"stride", Integers{2, 3}}, {"padding", Integers{1, 1, 1, 1}}}},
      {"max_pool1d",
       "max_pool",
       {{"kernel", Integers{3}}, {"stride", Integers{2}}, {"padding", Integers{1, 1}}}},
      {"avg_pool3d",
       "avg_pool",
       {{"kernel", Integers{2, 2, 2}}, {"stride", Integers{2, 2, 2}}, {"padding", Integers(6, 0)}}},
      {"global_avg_pool", "global_avg_pool", {}},
      {"batch_norm", "batch_norm", {{"epsilon", 1e-3}}},
      {"softmax", "softmax", {{"axis", std::int64_t{2}}}},
      {"permute", "permute", {{"order", Integers{0, 2, 3, 1}}}},
      {"concat", "concat", {{"axis", std::int64_t{3}}}},
  };
}

/// The case as a graph of one node.
struct CaseGraph {
  Model model;
  std::vector<at::Tensor> inputs;
  Shape output;

  CaseGraph(const Case& each, const StateDict& reference) {
    const auto& op = find_op(each.op, each.name);
    auto& graph = model.graph;
    std::vector<ValueId> operands;
    for (std::size_t i = 0;; ++i) {
      const auto name = fmt::format("{}/{}", each.name, i);
      const auto found = reference.find(name);
      if (found == reference.end()) break;
      const auto kind = op.operands[std::min(i, op.operands.size() - 1)].kind;
      const auto& shape = found->second.shape();
      if (kind == ValueKind::activation) {
        operands.push_back(graph.add_input(name, shape));
        inputs.push_back(as_torch(found->second));
      } else {
        operands.push_back(kind == ValueKind::buffer ? graph.add_buffer(name, shape)
                                                     : graph.add_parameter(name, shape));
        model.weights[name] = found->second;
      }
    }
    const auto made = graph.add_node(each.op, each.name, operands, each.attributes);
    graph.set_outputs({made});
    output = graph.value(made).shape;
  }
};

TEST(Kernels, there_is_one_for_every_operator) {
  for (const auto& op : all_ops()) EXPECT_NE(find_kernel(op.name), nullptr) << op.name;
  EXPECT_EQ(find_kernel("no such operator"), nullptr);
}

TEST(Kernels, compute_what_stock_pytorch_computes) {
  const auto reference =
      read_safetensors(std::string(COMPRESS_SOURCE_DIR) + "/tests/runtime/reference.safetensors").tensors;
  for (const auto& each : cases()) {
    const CaseGraph graph(each, reference);
    const Network network(graph.model, WeightUse::shared);
    const auto found = from_torch(network.compute(graph.inputs, graph.model.graph.outputs(), {}).front());
    const auto& expected = reference.at(each.name + "/output");
    EXPECT_EQ(found.shape(), expected.shape()) << each.name;
    EXPECT_EQ(found.shape(), graph.output) << each.name << ": the op table says otherwise";
    ASSERT_EQ(found.count(), expected.count()) << each.name;
    for (std::size_t i = 0; i < found.as<float>().size(); ++i)
      ASSERT_NEAR(found.as<float>()[i], expected.as<float>()[i], 1e-5) << each.name << " " << i;
  }
}

Model one_node(std::string op, Shape input, Attributes attributes = {}) {
  Model model;
  const auto from = model.graph.add_input("input", std::move(input));
  model.graph.set_outputs({model.graph.add_node(std::move(op), "node", {from}, std::move(attributes))});
  return model;
}

TEST(Network, dropout_in_training_zeroes_a_share_and_scales_the_rest) {
  const Network network(one_node("dropout", {1, 10'000}, {{"rate", 0.3}}), WeightUse::copied);
  const auto ones = at::ones({1, 10'000});
  const auto dropped = from_torch(network.forward(ones, {Mode::train, 1, {}}));
  std::int64_t zeros = 0;
  for (const float value : dropped.as<float>()) {
    zeros += value == 0 ? 1 : 0;
    EXPECT_TRUE(value == 0 || std::abs(value - 1 / 0.7F) < 1e-6);
  }
  EXPECT_NEAR(static_cast<double>(zeros), 3000, 200);
}

TEST(Network, dropout_depends_on_the_seed_of_the_pass_alone) {
  const Network network(one_node("dropout", {1, 100}, {{"rate", 0.5}}), WeightUse::copied);
  const auto ones = at::ones({1, 100});
  const auto once = network.forward(ones, {Mode::train, 1, {}});
  network.forward(ones, {Mode::train, 2, {}});
  EXPECT_TRUE(once.equal(network.forward(ones, {Mode::train, 1, {}})));
  EXPECT_FALSE(once.equal(network.forward(ones, {Mode::train, 2, {}})));
}

TEST(Network, training_normalizes_by_the_batch_and_updates_a_copy_of_the_statistics) {
  Model model;
  auto& graph = model.graph;
  const auto from = graph.add_input("input", {1, 1});
  graph.set_outputs({graph.add_node("batch_norm", "norm",
                                    {from, graph.add_parameter("w", {1}), graph.add_parameter("b", {1}),
                                     graph.add_buffer("mean", {1}), graph.add_buffer("variance", {1})},
                                    {{"epsilon", 0.0}, {"momentum", 0.5}})});
  for (const auto* name : {"w", "b", "mean", "variance"}) model.weights[name] = Tensor(DType::float32, {1});
  model.weights["w"].as<float>()[0] = 1;
  model.weights["variance"].as<float>()[0] = 1;

  const Network network(model, WeightUse::copied);
  const std::vector<float> values{1, 5};
  const auto found = from_torch(network.forward(as_torch(Tensor::of({2, 1}, values)), {Mode::train, 0, {}}));
  EXPECT_THAT(found.as<float>(), testing::ElementsAre(-1, 1));
  const auto after = network.state();
  EXPECT_FLOAT_EQ(after.at("mean").as<float>()[0], 1.5F);      // 0 and 3 in equal parts
  EXPECT_FLOAT_EQ(after.at("variance").as<float>()[0], 4.5F);  // 1 and 8, the unbiased variance
  EXPECT_FLOAT_EQ(model.weights.at("mean").as<float>()[0], 0);
}

TEST(Network, computes_only_what_is_wanted) {
  Model model;
  const auto from = model.graph.add_input("input", {1, 2});
  const auto first = model.graph.add_node("relu", "first", {from});
  model.graph.set_outputs({model.graph.add_node("softmax", "second", {first})});
  const Network network(model, WeightUse::shared);
  std::vector<std::string> seen;
  Pass pass;
  pass.observe = [&](const Value& value, const at::Tensor&) { seen.push_back(value.name); };
  const auto input = at::randn({3, 2});
  network.compute({&input, 1}, {&first, 1}, pass);
  EXPECT_THAT(seen, testing::ElementsAre("input", "first"));
}

}  // namespace
}  // namespace compress
