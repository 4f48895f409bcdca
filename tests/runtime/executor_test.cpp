#include "libcompress/runtime/executor.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <numeric>

#include "libcompress/base/error.h"
#include "libcompress/graph/canonicalize.h"
#include "tests/graph/builder.h"
#include "tests/graph/table_drawing.h"

namespace compress {
namespace {

using Integers = std::vector<std::int64_t>;
using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

/// A graph of one input and one node, whose parameters take the given values in order.
struct OneNode {
  Model model;

  OneNode(Shape input, std::string op, std::vector<Tensor> parameters, Attributes attributes = {}) {
    auto& graph = model.graph;
    std::vector<ValueId> operands{graph.add_input("input", std::move(input))};
    for (auto& parameter : parameters) {
      const auto name = fmt::format("p{}", operands.size());
      const bool statistic = op == "batch_norm" && operands.size() > 2;
      operands.push_back(statistic ? graph.add_buffer(name, parameter.shape())
                                   : graph.add_parameter(name, parameter.shape()));
      model.weights[name] = parameter;
    }
    graph.set_outputs({graph.add_node(op, "node", operands, std::move(attributes))});
  }

  std::vector<float> operator()(std::vector<float> input, std::int64_t batch = 1) const {
    return run(model, input, batch);
  }
};

Tensor tensor(Shape shape, std::vector<float> values) { return Tensor::of(std::move(shape), values); }

std::vector<float> counted(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

TEST(Executor, convolves_with_stride_and_bias) {
  const OneNode conv({1, 1, 1, 5}, "conv", {tensor({2, 1, 1, 2}, {1, 1, 1, -1}), tensor({2}, {0, 10})},
                     {{"stride", Integers{1, 2}}});
  EXPECT_THAT(conv({1, 2, 3, 4, 5}), ElementsAre(3, 7, 9, 9));
}

TEST(Executor, pads_a_convolution_on_one_side_only) {
  const OneNode conv({1, 1, 1, 3}, "conv", {tensor({1, 1, 1, 2}, {1, 10})},
                     {{"padding", Integers{0, 1, 0, 0}}});
  EXPECT_THAT(conv({1, 2, 3}), ElementsAre(10, 21, 32));
}

TEST(Executor, convolves_groups_apart) {
  const OneNode conv({1, 2, 1, 2}, "conv", {tensor({2, 1, 1, 1}, {2, 3})}, {{"groups", std::int64_t{2}}});
  EXPECT_THAT(conv({1, 2, 3, 4}), ElementsAre(2, 4, 9, 12));
}

TEST(Executor, convolves_over_one_axis) {
  const OneNode conv({1, 1, 4}, "conv", {tensor({1, 1, 2}, {1, 1})},
                     {{"stride", Integers{1}}, {"padding", Integers{0, 0}}, {"dilation", Integers{2}}});
  EXPECT_THAT(conv({1, 2, 3, 4}), ElementsAre(4, 6));
}

TEST(Executor, normalizes_with_running_statistics) {
  const OneNode norm({1, 2, 1, 2}, "batch_norm",
                     {tensor({2}, {2, 1}), tensor({2}, {1, 0}), tensor({2}, {3, 0}), tensor({2}, {4, 1})},
                     {{"epsilon", 0.0}});
  EXPECT_THAT(norm({3, 5, 7, 8}), ElementsAre(1, 3, 7, 8));
}

TEST(Executor, takes_the_largest_of_each_window_and_never_the_padding) {
  const OneNode pool(
      {1, 1, 2, 2}, "max_pool", {},
      {{"kernel", Integers{2, 2}}, {"stride", Integers{1, 1}}, {"padding", Integers{1, 0, 0, 0}}});
  EXPECT_THAT(pool({-1, -2, -3, -4}), ElementsAre(-1, -1));
}

TEST(Executor, pads_a_pool_by_more_than_half_its_window) {
  const Attributes wide{
      {"kernel", Integers{1, 3}}, {"stride", Integers{1, 3}}, {"padding", Integers{0, 2, 0, 2}}};
  EXPECT_THAT(OneNode({1, 1, 1, 2}, "max_pool", {}, wide)({-5, -7}), ElementsAre(-5, -7));
  EXPECT_THAT(OneNode({1, 1, 1, 2}, "avg_pool", {}, wide)({5, 7}), ElementsAre(FloatEq(5), FloatEq(7)));
}

TEST(Executor, averages_without_counting_the_padding) {
  const OneNode pool(
      {1, 1, 1, 4}, "avg_pool", {},
      {{"kernel", Integers{1, 2}}, {"stride", Integers{1, 2}}, {"padding", Integers{0, 1, 0, 1}}});
  EXPECT_THAT(pool({1, 2, 3, 4}), ElementsAre(1, 2.5F, 4));
}

TEST(Executor, averages_over_all_space) {
  EXPECT_THAT(OneNode({1, 2, 1, 2}, "global_avg_pool", {})({1, 3, 10, 20}), ElementsAre(2, 15));
}

TEST(Executor, multiplies_by_a_matrix_and_adds_the_bias) {
  const OneNode linear({1, 2}, "linear", {tensor({2, 2}, {1, 2, 3, 4}), tensor({2}, {10, 20})});
  EXPECT_THAT(linear({1, 1}), ElementsAre(13, 27));
}

TEST(Executor, softmax_sums_to_one_and_survives_large_values) {
  const OneNode softmax({1, 2}, "softmax", {});
  EXPECT_THAT(softmax({1000, 1000 - std::log(3.0F)}), Pointwise(FloatNear(1e-4F), {0.75F, 0.25F}));
}

TEST(Executor, permutes_and_flattens) {
  const OneNode permute({1, 2, 1, 3}, "permute", {}, {{"order", Integers{0, 3, 2, 1}}});
  EXPECT_THAT(permute({1, 2, 3, 4, 5, 6}), ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(OneNode({1, 2, 1, 2}, "flatten", {})({1, 2, 3, 4}), ElementsAre(1, 2, 3, 4));
}

TEST(Executor, adds_and_joins_two_branches) {
  Model model;
  auto& graph = model.graph;
  const auto input = graph.add_input("input", {1, 1, 1, 2});
  const auto relu = graph.add_node("relu", "relu", {input});
  const auto sum = graph.add_node("add", "sum", {input, relu});
  graph.set_outputs({graph.add_node("concat", "both", {sum, relu})});
  EXPECT_THAT(run(model, std::vector<float>{-1, 2}, 1), ElementsAre(-1, 4, 0, 2));
}

TEST(Executor, leaves_dropout_out) {
  EXPECT_THAT(OneNode({1, 3}, "dropout", {}, {{"rate", 0.9}})({1, 2, 3}), ElementsAre(1, 2, 3));
}

TEST(Executor, runs_any_batch_as_single_examples) {
  const OneNode conv({1, 2, 3, 3}, "conv", {tensor({2, 2, 2, 2}, counted(16))});
  const auto input = counted(36);
  auto first = conv({input.begin(), input.begin() + 18});
  const auto second = conv({input.begin() + 18, input.end()});
  first.insert(first.end(), second.begin(), second.end());
  EXPECT_EQ(conv(input, 2), first);
}

TEST(Executor, shows_the_input_and_every_activation) {
  const OneNode relu({1, 2}, "relu", {});
  std::map<std::string, std::vector<float>> seen;
  run_observed(relu.model, std::vector<float>{-1, 1, 2, -2}, 2,
               [&](ValueId id, std::span<const float> values, const Shape& shape) {
                 EXPECT_EQ(shape, (Shape{2, 2}));
                 seen[relu.model.graph.value(id).name].assign(values.begin(), values.end());
               });
  EXPECT_THAT(seen["input"], ElementsAre(-1, 1, 2, -2));
  EXPECT_THAT(seen["node"], ElementsAre(0, 1, 2, 0));
}

TEST(Executor, refuses_an_input_of_another_size) {
  const OneNode relu({1, 2}, "relu", {});
  try {
    relu({1, 2, 3});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), HasSubstr("3 elements for a batch of 1"));
  }
}

TEST(Executor, refuses_a_model_without_its_weights) {
  OneNode linear({1, 2}, "linear", {tensor({1, 2}, {1, 2})});
  linear.model.weights.clear();
  EXPECT_THROW(linear({1, 2}), Error);
}

TEST(Executor, runs_networks_whose_output_has_no_batch_in_front) {
  const OneNode turned({1, 3}, "permute", {}, {{"order", Integers{1, 0}}});
  Executor executor(turned.model);
  EXPECT_EQ(executor.output_size(), 3);
  EXPECT_THAT(executor.run(std::vector<float>{1, 2, 3, 4, 5, 6}, 2), ElementsAre(1, 4, 2, 5, 3, 6));
  const OneNode number({1, 3}, "reduce_sum", {}, {{"axes", Integers{0, 1}}});
  EXPECT_EQ(Executor(number.model).output_size(), 1);
  EXPECT_THAT(number({1, 2, 3}), ElementsAre(6));
}

TEST(Executor, runs_all_outputs_for_all_inputs) {
  Model model;
  auto& graph = model.graph;
  const auto a = graph.add_input("a", {1, 2}), b = graph.add_input("b", {1});
  const auto sum = graph.add_node(
      "add", "sum", {a, graph.add_node("reshape", "b_column", {b}, {{"shape", Integers{1, 1}}})});
  graph.set_outputs({sum, graph.add_node("neg", "less", {a}), b});
  const std::vector<Tensor> inputs{tensor({2, 2}, {1, 2, 3, 4}), tensor({2}, {10, 20})};
  const auto outputs = run_all(model, inputs);
  ASSERT_EQ(outputs.size(), 3u);
  EXPECT_EQ(outputs[0].shape(), (Shape{2, 2}));
  EXPECT_THAT(outputs[0].as<float>(), ElementsAre(11, 12, 23, 24));
  EXPECT_THAT(outputs[1].as<float>(), ElementsAre(-1, -2, -3, -4));
  EXPECT_THAT(outputs[2].as<float>(), ElementsAre(10, 20));
}

TEST(Executor, refuses_inputs_of_different_batches_and_other_counts) {
  Model model;
  auto& graph = model.graph;
  const auto a = graph.add_input("a", {1, 2}), b = graph.add_input("b", {1, 2});
  graph.set_outputs({graph.add_node("add", "sum", {a, b})});
  const auto complaint = [&](const std::vector<Tensor>& inputs) -> std::string {
    try {
      run_all(model, inputs);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  const Tensor one(DType::float32, {1, 2}), three(DType::float32, {3, 2}), wide(DType::float32, {1, 3});
  EXPECT_EQ(complaint({three, three}), "no error");
  EXPECT_THAT(complaint({three, one}), HasSubstr("input 'b': a batch of 1; allowed: the batch of input 'a'"));
  EXPECT_THAT(complaint({one}), HasSubstr("1 inputs; allowed: 2"));
  EXPECT_THAT(complaint({wide, one}), HasSubstr("input 'a': shape [1, 3]"));
}

TEST(Executor, canonical_networks_compute_what_they_did_before) {
  Random random(5);
  for (int i = 0; i < 40; ++i) {
    const auto model = testing::with_random_weights(testing::draw_from_op_table(random), random);
    Executor before(model);
    std::vector<float> input(static_cast<std::size_t>(2 * before.input_size()));
    for (auto& element : input) element = static_cast<float>(random.normal());
    EXPECT_THAT(run(canonicalize(model), input, 2), Pointwise(FloatNear(1e-5F), before.run(input, 2)))
        << to_text(model.graph);
  }
}

TEST(Executor, shares_the_weights_of_its_model) {
  const OneNode linear({1, 1}, "linear", {tensor({1, 1}, {2})});
  Executor executor(linear.model);
  auto weight = linear.model.weights.at("p1");
  weight.as<float>()[0] = 5;
  EXPECT_THAT(executor.run(std::vector<float>{1}, 1), ElementsAre(5));
}

TEST(Executor, counts_its_threads) {
  const int before = threads_in_use();
  EXPECT_EQ(use_threads(1), 1);
  EXPECT_EQ(threads_in_use(), 1);
  use_threads(before);
}

}  // namespace
}  // namespace compress
