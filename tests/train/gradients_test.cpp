#include "libcompress/train/gradients.h"

#include <gmock/gmock.h>

#include <cmath>

#include "libcompress/runtime/executor.h"
#include "libcompress/train/batches.h"
#include "tests/train/tiny.h"

namespace compress {
namespace {

/// The mean cross-entropy, computed from the probabilities.
double loss_of(const Model& model, const Batch& batch) {
  const auto probabilities = run(model, batch.inputs, batch.count);
  double sum = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    if (batch.targets[i] > 0) sum -= batch.targets[i] * std::log(static_cast<double>(probabilities[i]));
  }
  return sum / static_cast<double>(batch.count);
}

TEST(GradientSource, agrees_with_finite_differences) {
  const tiny::Waves data;
  auto model = tiny::network();
  const auto batch = TrainingBatches(data, 16, 5).make(0, 0);
  const auto source = make_gradient_source(model, data, {.batches = 1, .batch_size = 16, .seed = 5});
  int batches = 0;
  source->for_each_batch([&](const StateDict& gradients) {
    ++batches;
    EXPECT_EQ(gradients.size(), 5U);  // the trained parameters, without running statistics
    for (const auto& [name, gradient] : gradients) {
      auto weight = model.weights.at(name);
      for (std::size_t i = 0; i < gradient.as<float>().size(); i += 3) {
        const float kept = weight.as<float>()[i];
        constexpr float kStep = 3e-4F;
        weight.as<float>()[i] = kept + kStep;
        const double above = loss_of(model, batch);
        weight.as<float>()[i] = kept - kStep;
        const double below = loss_of(model, batch);
        weight.as<float>()[i] = kept;
        EXPECT_NEAR(gradient.as<float>()[i], (above - below) / (2 * kStep), 1e-3) << name << " " << i;
      }
    }
  });
  EXPECT_EQ(batches, 1);
}

TEST(GradientSource, gives_as_many_batches_as_asked_and_the_same_ones_again) {
  const tiny::Waves data;
  const auto model = tiny::network();
  const auto source = make_gradient_source(model, data, {.batches = 5, .batch_size = 20, .seed = 1});
  std::vector<StateDict> first;
  source->for_each_batch([&](const StateDict& gradients) { first.push_back(gradients); });
  EXPECT_EQ(first.size(), 5U);
  std::size_t i = 0;
  source->for_each_batch(
      [&](const StateDict& gradients) { EXPECT_TRUE(tiny::same_bits(gradients, first[i++])); });
  EXPECT_TRUE(tiny::same_bits(model.weights, tiny::network().weights));
}

/// The loss of one example of the batch, [1, 1, 32].
double loss_of_example(const Model& model, const Batch& batch, std::int64_t n) {
  return loss_of(model, {.count = 1,
                         .inputs = {batch.inputs.begin() + n * 32, batch.inputs.begin() + (n + 1) * 32},
                         .targets = {batch.targets.begin() + n * 3, batch.targets.begin() + (n + 1) * 3}});
}

/// What `change` does to the loss of example `n`, a step down and a step up.
double slope(const Model& model, const Batch& batch, std::int64_t n,
             const std::function<void(Model&, float factor)>& change) {
  constexpr float kStep = 3e-3F;
  auto above = model, below = model;
  for (auto* each : {&above, &below}) {
    for (auto& [name, weight] : each->weights) weight = weight.clone();
  }
  change(above, 1 + kStep);
  change(below, 1 - kStep);
  return (loss_of_example(above, batch, n) - loss_of_example(below, batch, n)) / (2.0 * kStep);
}

/// z * dL/dz is the slope by a factor on z: of filter c, or of what the linear layer reads of channel c.
TEST(GradientSource, gives_the_change_of_each_example_at_every_tap) {
  const tiny::Waves data;
  const auto model = tiny::network();
  const auto batch = TrainingBatches(data, 16, 5).make(0, 0);
  const std::vector<Tap> taps = {{*model.graph.find_node("conv"), Tap::kOutput, 1},
                                 {*model.graph.find_node("linear"), 0, 1}};
  const auto source = make_gradient_source(model, data, {.batches = 1, .batch_size = 16, .seed = 5});
  int batches = 0;
  source->for_each_tapped_batch(taps, [&](std::span<const Tensor> changes) {
    ++batches;
    ASSERT_EQ(changes.size(), 2U);
    const std::vector<std::string> weights = {"conv.weight", "linear.weight"};
    for (std::size_t t = 0; t < 2; ++t) {
      ASSERT_EQ(changes[t].shape(), (Shape{16, 8}));
      for (std::int64_t n = 0; n < 16; n += 5) {
        for (std::int64_t c = 0; c < 8; c += 3) {
          const auto by_hand = slope(model, batch, n, [&](Model& changed, float factor) {
            auto& weight = changed.weights.at(weights[t]);
            const std::int64_t first = t == 0 ? 7 * c : c, step = t == 0 ? 1 : 8, count = t == 0 ? 7 : 3;
            for (std::int64_t i = 0; i < count; ++i)
              weight.as<float>()[static_cast<std::size_t>(first + i * step)] *= factor;
          });
          EXPECT_NEAR(changes[t].as<float>()[static_cast<std::size_t>(n * 8 + c)], by_hand, 1e-3)
              << weights[t] << ", example " << n << ", channel " << c;
        }
      }
    }
  });
  EXPECT_EQ(batches, 1);
}

TEST(GradientSource, tells_two_readings_of_one_value_apart) {
  auto model = tiny::network();
  Graph graph;
  auto here = graph.add_input("input", {1, 1, 1, 32});
  here = graph.add_node("conv", "conv", {here, graph.add_parameter("conv.weight", {8, 1, 1, 7})});
  here = graph.add_node("global_avg_pool", "pool", {here});
  here = graph.add_node("flatten", "flatten", {here});
  const auto a = graph.add_node("linear", "a", {here, graph.add_parameter("a.weight", {3, 8})});
  const auto b = graph.add_node("linear", "b", {here, graph.add_parameter("b.weight", {3, 8})});
  graph.set_outputs({graph.add_node("add", "sum", {a, b})});
  Random random(2);
  StateDict weights = {{"conv.weight", model.weights.at("conv.weight")},
                       {"a.weight", tiny::random_tensor({3, 8}, 0.5, random)},
                       {"b.weight", tiny::filled({3, 8}, 0)}};
  const tiny::Waves data;
  const auto source = make_gradient_source({"twice", graph, weights, {}}, data, {.batches = 1});
  const std::vector<Tap> taps = {{*graph.find_node("a"), 0, 1}, {*graph.find_node("b"), 0, 1}};
  source->for_each_tapped_batch(taps, [&](std::span<const Tensor> changes) {
    EXPECT_THAT(changes[0].as<float>(), ::testing::Contains(::testing::Ne(0)));
    EXPECT_THAT(changes[1].as<float>(), ::testing::Each(0));  // its weights are zero
  });
}

/// How the scores of every position are computed.
enum class Form {
  plain,   ///< by a convolution
  turned,  ///< by a linear layer, positions first
  merged,  ///< the same, positions and examples on one axis
};

Model scored_by_position(Form form) {
  Model model{"positions", {}, {}, {}};
  auto& graph = model.graph;
  using Extents = std::vector<std::int64_t>;
  const auto reshaped = [&](const std::string& name, ValueId value, Extents shape, std::int64_t batch_axis) {
    return graph.add_node("reshape", name, {value},
                          {{"shape", std::move(shape)}, {"batch_axis", batch_axis}});
  };
  auto here = graph.add_input("input", {1, 1, 1, 32});
  here = graph.add_node("conv", "conv", {here, graph.add_parameter("conv.weight", {8, 1, 1, 7})});
  if (form == Form::plain) {
    here = graph.add_node("conv", "scores", {here, graph.add_parameter("scores.weight", {3, 8, 1, 1})});
  } else {
    here = graph.add_node("permute", "turn", {here}, {{"order", Extents{3, 0, 2, 1}}});
    if (form == Form::merged) here = reshaped("merge", here, {26, 8}, 0);
    here = graph.add_node("linear", "scores", {here, graph.add_parameter("scores.weight", {3, 8})});
    if (form == Form::merged) here = reshaped("part", here, {26, 1, 1, 3}, 1);
    here = graph.add_node("permute", "turn_back", {here}, {{"order", Extents{1, 3, 2, 0}}});
  }
  here = graph.add_node("relu", "relu", {here});  // or every position would have the same gradient
  graph.set_outputs(
      {graph.add_node("flatten", "flatten", {graph.add_node("global_avg_pool", "pool", {here})})});
  Random random(3);
  model.weights["conv.weight"] = tiny::random_tensor({8, 1, 1, 7}, 0.5, random);
  const auto weight = tiny::random_tensor({3, 8}, 0.5, random);
  model.weights["scores.weight"] =
      form == Form::plain ? Tensor::of({3, 8, 1, 1}, weight.as<float>()) : weight;
  return model;
}

std::vector<float> changes_of_what_scores_read(Form form) {
  const tiny::Waves data;
  const auto model = scored_by_position(form);
  const auto& shape = model.graph.value(model.graph.node(*model.graph.find_node("scores")).inputs[0]).shape;
  const auto channels = form == Form::plain ? 1 : static_cast<std::int32_t>(shape.size()) - 1;
  const std::vector<Tap> taps = {{*model.graph.find_node("scores"), 0, channels}};
  // 26 positions, which a batch of 13 divides.
  const auto source = make_gradient_source(model, data, {.batches = 1, .batch_size = 13, .seed = 5});
  std::vector<float> found;
  source->for_each_tapped_batch(taps, [&](std::span<const Tensor> changes) {
    const auto values = changes[0].as<float>();
    found.assign(values.begin(), values.end());
  });
  return found;
}

TEST(GradientSource, finds_the_examples_of_an_activation_that_is_turned) {
  const auto expected = changes_of_what_scores_read(Form::plain);
  EXPECT_THAT(expected, ::testing::Contains(::testing::Gt(1e-3F)));
  for (const auto form : {Form::turned, Form::merged})
    EXPECT_THAT(changes_of_what_scores_read(form),
                ::testing::Pointwise(::testing::FloatNear(1e-5F), expected));
}

TEST(GradientSource, refuses_an_activation_that_mixes_examples) {
  const tiny::Waves data;
  const auto model = tiny::network();
  const std::vector<Tap> taps = {{*model.graph.find_node("linear"), 0, 0}};
  const auto source = make_gradient_source(model, data, {.batches = 1});
  EXPECT_THROW(source->for_each_tapped_batch(taps, [](std::span<const Tensor>) {}), Error);
}

}  // namespace
}  // namespace compress
