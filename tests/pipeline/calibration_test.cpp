#include "libcompress/pipeline/calibration.h"

#include <gmock/gmock.h>

#include <cmath>

#include "libcompress/base/error.h"
#include "libcompress/quant/reference.h"
#include "tests/quant/networks.h"

namespace compress {
namespace {

using testing::HasSubstr;

/// Examples of two numbers; the label is the larger one's place.
class Pairs final : public DataSet {
 public:
  Shape input_shape() const override { return {2}; }
  const std::vector<std::string>& class_names() const override { return names_; }
  std::int64_t target_count() const override { return 2; }
  std::int64_t size(Part) const override { return 20; }
  void training_example(std::int64_t, Random&, std::span<float>, std::span<float>) const override {}
  std::int64_t view_count() const override { return 1; }
  std::int64_t evaluation_views(Part, std::int64_t index, std::span<float> views) const override {
    views[0] = std::sin(static_cast<float>(index));
    views[1] = std::cos(static_cast<float>(index));
    return views[0] > views[1] ? 0 : 1;
  }
  std::string clip_name(Part, std::int64_t index) const override { return std::to_string(index); }
  std::string description() const override { return "pairs"; }

 private:
  std::vector<std::string> names_ = {"first", "second"};
};

/// Doubles its two inputs: logits, with a softmax behind them or without.
Model doubling(bool softmax) {
  Graph graph;
  auto x = graph.add_input("input", {1, 2});
  x = graph.add_node("linear", "fc", {x, graph.add_parameter("fc.weight", {2, 2})});
  if (softmax) x = graph.add_node("softmax", "softmax", {x}, {{"axis", std::int64_t{1}}});
  graph.set_outputs({x});
  Model model{"doubling", std::move(graph), {}, {}};
  model.weights["fc.weight"] = Tensor::of({2, 2}, std::vector<float>{2, 0, 0, 2});
  return model;
}

Evaluation evaluated(const Model& model) {
  const Pairs data;
  ArraySource inputs(sample_views(data, Part::train, 16, 1), 2);
  const test::WholeRange observer;
  const auto graph = post_training(model, {inputs, observer}, {}).graph;
  const ReferenceExecutor reference(graph);
  return evaluate_int8(graph, [&](const auto& input) { return reference.run(input); }, data, {});
}

TEST(EightBitEvaluation, takes_the_outputs_of_a_network_without_a_softmax_for_logits) {
  const auto with = evaluated(doubling(true)), without = evaluated(doubling(false));
  EXPECT_EQ(without.correct, with.correct);
  EXPECT_NEAR(without.loss, with.loss, 0.02);
}

TEST(EightBitEvaluation, refuses_data_that_does_not_fit_the_network) {
  const auto model = test::NetworkBuilder({1, 3, 8, 8}).conv("conv", 2, {3, 3}, {1, 1}).finish();
  ArraySource inputs(test::random_inputs(model, 4), 3 * 8 * 8);
  const auto graph = post_training(model, {inputs, test::WholeRange()}, {}).graph;
  try {
    check_fit(graph, Pairs());
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), HasSubstr("an input of shape [1, 8, 8, 3] and 128 outputs"));
  }
}

}  // namespace
}  // namespace compress
