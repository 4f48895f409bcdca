// Every operator against stock PyTorch (make_reference.py wrote what it gives), and networks in training.
#include "libcompress/runtime/kernels.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "libcompress/base/error.h"
#include "libcompress/graph/op.h"
#include "libcompress/import/safetensors.h"
#include "libcompress/runtime/network.h"

namespace compress {
namespace {

using Integers = std::vector<std::int64_t>;
using Json = nlohmann::json;

StateFile reference() {
  return read_safetensors(std::string(COMPRESS_SOURCE_DIR) + "/tests/runtime/reference.safetensors");
}

Attribute attribute_from(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_number()) return json.get<std::int64_t>();
  if (json.is_string()) return json.get<std::string>();
  return json.get<Integers>();
}

bool holds(const Json& places, std::size_t place) {
  return std::find(places.begin(), places.end(), Json(place)) != places.end();
}

/// One case of the reference as a graph of one node.
struct CaseGraph {
  std::string name;
  Model model;
  std::vector<at::Tensor> inputs;
  std::vector<ValueId> operands;
  Shape declared;  ///< of the output
  std::int64_t batch;

  CaseGraph(const Json& each, const StateDict& tensors) : name(each.at("name")), batch(each.at("batch")) {
    const auto& op = find_op(each.at("op").get<std::string>(), name);
    Attributes attributes;
    for (const auto& [key, value] : each.at("attributes").items()) attributes.set(key, attribute_from(value));
    for (std::size_t i = 0; i < each.at("operands"); ++i) {
      auto kind = op.operands[std::min(i, op.operands.size() - 1)].kind;
      if (holds(each.at("parameters"), i)) kind = ValueKind::parameter;
      if (holds(each.at("inputs"), i)) kind = ValueKind::input;
      add_operand(kind, fmt::format("{}/{}", name, i), tensors);
    }
    const auto made = model.graph.add_node(op.name, name, operands, attributes);
    model.graph.set_outputs({made});
    declared = model.graph.value(made).shape;
  }

  /// Of half the sum of the output's squares, in the order of the operands; undefined for buffers.
  std::vector<at::Tensor> gradients(const Network& network, const at::Tensor& output) const {
    output.backward(output.detach());
    std::vector<at::Tensor> gradients;
    std::size_t next = 0;
    for (const auto id : operands) {
      const bool fed = model.graph.value(id).kind == ValueKind::input;
      gradients.push_back(fed ? inputs[next++].grad() : network.weight(id).grad());
    }
    return gradients;
  }

 private:
  void add_operand(ValueKind kind, const std::string& operand, const StateDict& tensors) {
    auto& graph = model.graph;
    const auto& tensor = tensors.at(operand);
    if (kind == ValueKind::parameter || kind == ValueKind::buffer) {
      operands.push_back(kind == ValueKind::buffer ? graph.add_buffer(operand, tensor.shape())
                                                   : graph.add_parameter(operand, tensor.shape()));
      model.weights[operand] = tensor;
      return;
    }
    Shape shape = tensor.shape();
    if (batch != 1) shape[0] /= batch;
    operands.push_back(graph.add_input(operand, shape));
    inputs.push_back(as_torch(tensor.clone()).set_requires_grad(true));
  }
};

void expect_equal(const at::Tensor& found, const Tensor& expected, const std::string& what) {
  const auto ours = from_torch(found);
  ASSERT_EQ(ours.shape(), expected.shape()) << what;
  const auto a = std::as_const(ours).as<float>();
  const auto b = expected.as<float>();
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], 1e-5 * std::max(1.0F, std::abs(b[i]))) << what << " " << i;
}

TEST(Kernels, there_is_one_for_every_operator) {
  for (const auto& op : all_ops()) EXPECT_NE(find_kernel(op.name), nullptr) << op.name;
  EXPECT_EQ(find_kernel("no such operator"), nullptr);
}

TEST(Kernels, every_operator_has_a_case_in_the_reference) {
  std::set<std::string> covered;
  for (const auto& each : Json::parse(reference().metadata.at("cases"))) covered.insert(each.at("op"));
  for (const auto& op : all_ops()) EXPECT_TRUE(covered.contains(op.name)) << op.name;
}

TEST(Kernels, compute_what_stock_pytorch_computes) {
  const auto [tensors, metadata] = reference();
  for (const auto& each : Json::parse(metadata.at("cases"))) {
    const CaseGraph graph(each, tensors);
    const Network network(graph.model, WeightUse::copied);
    const auto output = network.compute(graph.inputs, graph.model.graph.outputs(), {}).front();
    expect_equal(output, tensors.at(graph.name + "/output"), graph.name);
    if (graph.batch == 1) {
      EXPECT_EQ(from_torch(output).shape(), graph.declared) << graph.name;
    }
    const auto gradients = graph.gradients(network, output);
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      const auto expected = tensors.find(fmt::format("{}/gradient/{}", graph.name, i));
      if (expected == tensors.end()) continue;
      ASSERT_TRUE(gradients[i].defined()) << graph.name << " " << i;
      expect_equal(gradients[i], expected->second, fmt::format("{}: gradient of operand {}", graph.name, i));
    }
  }
}

TEST(Kernels, a_reshape_that_cannot_tell_its_batch_refuses_another_one) {
  Model model;
  const auto from = model.graph.add_input("input", {1, 4});
  model.graph.set_outputs({model.graph.add_node(
      "reshape", "node", {from}, {{"shape", Integers{2, 2}}, {"batch_axis", std::int64_t{-1}}})});
  const Network network(model, WeightUse::shared);
  EXPECT_NO_THROW(network.forward(at::ones({1, 4})));
  try {
    network.forward(at::ones({3, 4}));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("a batch of 3 times the declared one"));
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
