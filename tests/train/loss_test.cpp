// The losses against stock PyTorch (make_reference.py wrote what it gives).
#include "libcompress/train/loss.h"

#include <gtest/gtest.h>

#include "libcompress/import/safetensors.h"
#include "libcompress/train/group_lasso.h"

namespace compress {
namespace {

constexpr DistillationOptions kDistillation{.temperature = 3, .weight = 0.7};
constexpr double kStrength = 0.01;

/// conv1, norm, relu, a residual conv2, linear: the network of make_reference.py.
Graph reference_graph() {
  Graph graph;
  const Attributes padded{{"padding", std::vector<std::int64_t>{1, 1, 1, 1}}};
  auto here = graph.add_input("input", {1, 1, 4, 5});
  here = graph.add_node("conv", "conv1", {here, graph.add_parameter("conv1.weight", {4, 1, 3, 3})}, padded);
  here = graph.add_node("batch_norm", "norm",
                        {here, graph.add_parameter("norm.weight", {4}), graph.add_parameter("norm.bias", {4}),
                         graph.add_buffer("norm.mean", {4}), graph.add_buffer("norm.variance", {4})});
  here = graph.add_node("relu", "relu", {here});
  const auto beside =
      graph.add_node("conv", "conv2", {here, graph.add_parameter("conv2.weight", {4, 4, 3, 3})}, padded);
  here = graph.add_node("add", "add", {here, beside});
  here = graph.add_node("flatten", "flatten", {here});
  here = graph.add_node(
      "linear", "linear",
      {here, graph.add_parameter("linear.weight", {3, 80}), graph.add_parameter("linear.bias", {3})});
  graph.set_outputs({here});
  return graph;
}

class AgainstPyTorch : public testing::Test {
 protected:
  Model model(const std::string& prefix) const {
    Model model{prefix, reference_graph(), {}, {}};
    for (const auto& [name, tensor] : file_.tensors) {
      if (name.starts_with(prefix + "/")) model.weights[name.substr(prefix.size() + 1)] = tensor;
    }
    return model;
  }

  std::vector<float> floats(const std::string& name) const {
    const auto values = file_.tensors.at(name).as<float>();
    return {values.begin(), values.end()};
  }

  Loss loss(const Network& network, const Teacher* teacher) const {
    return loss_of(network, find_class_scores(network.graph()), batch_, {Mode::train, 1, {}}, teacher);
  }

  /// Every parameter that the reference has a gradient of, and no other.
  void expect_gradients(const Network& network, const std::string& name) const {
    for (const auto id : network.trained()) {
      const auto& value = network.graph().value(id);
      const auto key = name + "/gradient/" + value.name;
      const auto& gradient = network.weight(id).grad();
      ASSERT_EQ(gradient.defined(), file_.tensors.contains(key)) << key;
      if (!gradient.defined()) continue;
      const auto ours = from_torch(gradient);
      const auto theirs = floats(key);
      ASSERT_EQ(ours.as<float>().size(), theirs.size()) << key;
      for (std::size_t i = 0; i < theirs.size(); ++i)
        EXPECT_NEAR(ours.as<float>()[i], theirs[i], 1e-5 + 1e-4 * std::abs(theirs[i])) << key << " " << i;
    }
  }

  StateFile file_ = read_safetensors(std::string(COMPRESS_SOURCE_DIR) + "/tests/train/reference.safetensors");
  const Batch batch_{6, floats("inputs"), floats("targets")};  ///< the loss borrows it until backward()
};

TEST_F(AgainstPyTorch, the_divergence_from_the_targets_and_its_gradients) {
  const Network student(model("student"), WeightUse::copied);
  const auto found = loss(student, nullptr).mean;
  EXPECT_NEAR(found.item<float>(), floats("plain/loss")[0], 1e-5);
  found.backward();
  expect_gradients(student, "plain");
}

TEST_F(AgainstPyTorch, distillation_and_its_gradients) {
  const Network student(model("student"), WeightUse::copied);
  const auto unpruned = model("teacher");
  const Teacher teacher(unpruned, kDistillation);
  const auto found = loss(student, &teacher).mean;
  EXPECT_NEAR(found.item<float>(), floats("distilled/loss")[0], 1e-5);
  found.backward();
  expect_gradients(student, "distilled");
}

TEST_F(AgainstPyTorch, the_group_lasso_and_its_gradients) {
  const Network student(model("student"), WeightUse::copied);
  const auto groups = find_groups(student.graph());
  GroupLasso lasso(student, groups, kStrength);
  EXPECT_NEAR(lasso.penalty(), floats("lasso/loss")[0], 1e-5);
  lasso.add_gradients();
  expect_gradients(student, "lasso");
}

TEST_F(AgainstPyTorch, a_teacher_of_no_weight_changes_nothing) {
  const Network student(model("student"), WeightUse::copied);
  const auto unpruned = model("teacher");
  const Teacher teacher(unpruned, {.temperature = 3, .weight = 0});
  EXPECT_EQ(loss(student, &teacher).mean.item<float>(), loss(student, nullptr).mean.item<float>());
}

TEST(GroupLasso, leaves_a_channel_of_zeros_at_rest) {
  Model model{"zeros", reference_graph(), {}, {}};
  for (const auto id : model.graph.parameters())
    model.weights[model.graph.value(id).name] = Tensor(DType::float32, model.graph.value(id).shape);
  const Network network(model, WeightUse::copied);
  const auto groups = find_groups(network.graph());
  GroupLasso lasso(network, groups, 1);
  EXPECT_EQ(lasso.penalty(), 0);
  lasso.add_gradients();
  const auto gradient = from_torch(network.weight(*network.graph().find_value("conv2.weight")).grad());
  for (const auto each : gradient.as<float>()) EXPECT_EQ(each, 0);
}

TEST(GroupLasso, does_not_touch_what_may_not_be_pruned) {
  Model model{"pinned", reference_graph(), {}, {}};
  for (const auto id : model.graph.parameters())
    model.weights[model.graph.value(id).name] = Tensor(DType::float32, model.graph.value(id).shape);
  const Network network(model, WeightUse::copied);
  const auto groups = find_groups(network.graph(), {.ignore = {"conv*"}});
  GroupLasso lasso(network, groups, 1);
  lasso.add_gradients();
  for (const auto id : network.trained()) EXPECT_FALSE(network.weight(id).grad().defined());
}

}  // namespace
}  // namespace compress
