#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libcompress/strategy/criterion.h"

namespace compress {

void register_peak(Catalog<Criterion>& catalog);

namespace {

using ::testing::ElementsAre;

/// input -> conv1 (3 channels, with a bias) -> conv2
Model small_model() {
  Model model;
  auto& graph = model.graph;
  const auto input = graph.add_input("input", {1, 2, 4, 4});
  const auto first = graph.add_parameter("conv1.weight", {3, 2, 1, 1});
  const auto bias = graph.add_parameter("conv1.bias", {3});
  const auto second = graph.add_parameter("conv2.weight", {2, 3, 1, 1});
  const auto hidden = graph.add_node("conv", "conv1", {input, first, bias});
  graph.set_outputs({graph.add_node("conv", "conv2", {hidden, second})});
  model.weights["conv1.weight"] = Tensor::of({3, 2, 1, 1}, std::vector<float>{1, -2, 3, 0.5, 0, 0.25});
  model.weights["conv1.bias"] = Tensor::of({3}, std::vector<float>{9, 0, 0});
  model.weights["conv2.weight"] = Tensor::of({2, 3, 1, 1}, std::vector<float>{0, 0, -4, 1, 1, 1});
  return model;
}

Scores peaks_of(const std::map<std::string, OptionValue>& options) {
  Catalog<Criterion> catalog{"criterion"};
  register_peak(catalog);
  const Model model = small_model();
  const auto groups = find_groups(model.graph);
  return catalog.make("peak", options)->score_all(groups, {model}).front();
}

TEST(OwnCriterion, takes_the_largest_weight_of_every_coupled_slice) {
  EXPECT_THAT(peaks_of({}), ElementsAre(2, 3, 4));
}

TEST(OwnCriterion, looks_at_biases_where_its_option_says_so) {
  EXPECT_THAT(peaks_of({{"dimensions", std::int64_t{1}}}), ElementsAre(9, 3, 4));
}

TEST(OwnCriterion, has_its_options_checked) {
  EXPECT_THROW(peaks_of({{"dimensions", std::int64_t{0}}}), Error);
  EXPECT_THROW(peaks_of({{"dimension", std::int64_t{2}}}), Error);
}

}  // namespace
}  // namespace compress
