// A small network and a small data set for the tests of training.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "libcompress/base/error.h"
#include "libcompress/data/dataset.h"
#include "libcompress/graph/graph.h"

namespace compress::tiny {

/// Waves of one of three frequencies in noise, [1, 1, 32]; the views of a clip differ in their noise.
class Waves final : public DataSet {
 public:
  std::int64_t train = 48;
  std::int64_t validation = 12;
  std::int64_t views = 2;
  double noise = 0.1;
  bool broken_views = false;

  Shape input_shape() const override { return {1, 1, 32}; }
  const std::vector<std::string>& class_names() const override { return names_; }
  std::int64_t target_count() const override { return 3; }
  std::int64_t size(Part part) const override { return part == Part::train ? train : validation; }

  void training_example(std::int64_t index, Random& random, std::span<float> input,
                        std::span<float> target) const override {
    wave(index % 3, random, input);
    std::fill(target.begin(), target.end(), 0.0F);
    target[static_cast<std::size_t>(index % 3)] = 1;
  }

  std::int64_t view_count() const override { return views; }

  std::int64_t evaluation_views(Part part, std::int64_t index, std::span<float> all) const override {
    if (broken_views) throw Error(ErrorKind::input, "wave.wav: cut off");
    auto random = Random::stream(99, static_cast<std::uint64_t>(index * 3 + static_cast<int>(part)));
    for (std::size_t i = 0; i < all.size(); i += 32) wave(index % 3, random, all.subspan(i, 32));
    return index % 3;
  }

  std::string clip_name(Part, std::int64_t index) const override { return "wave " + std::to_string(index); }
  std::string description() const override { return "waves"; }

 private:
  void wave(std::int64_t label, Random& random, std::span<float> out) const {
    const double phase = random.uniform(0, 6.28);
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] =
          static_cast<float>(std::sin(phase + 0.4 * static_cast<double>(label + 1) * static_cast<double>(i)) +
                             noise * random.normal());
  }

  std::vector<std::string> names_ = {"low", "middle", "high"};
};

inline Tensor random_tensor(Shape shape, double deviation, Random& random) {
  Tensor tensor(DType::float32, std::move(shape));
  for (auto& value : tensor.as<float>()) value = static_cast<float>(deviation * random.normal());
  return tensor;
}

inline Tensor filled(Shape shape, float value) {
  Tensor tensor(DType::float32, std::move(shape));
  std::fill(tensor.as<float>().begin(), tensor.as<float>().end(), value);
  return tensor;
}

/// conv, norm, relu, pool, dropout, linear and, if asked, softmax.
inline Model network(bool softmax = true, double dropout = 0.1) {
  Model model;
  model.name = "tiny";
  auto& graph = model.graph;
  auto here = graph.add_input("input", {1, 1, 1, 32});
  here = graph.add_node("conv", "conv", {here, graph.add_parameter("conv.weight", {8, 1, 1, 7})});
  here = graph.add_node("batch_norm", "norm",
                        {here, graph.add_parameter("norm.weight", {8}), graph.add_parameter("norm.bias", {8}),
                         graph.add_buffer("norm.mean", {8}), graph.add_buffer("norm.variance", {8})});
  here = graph.add_node("relu", "relu", {here});
  here = graph.add_node("global_avg_pool", "pool", {here});
  here = graph.add_node("flatten", "flatten", {here});
  here = graph.add_node("dropout", "dropout", {here}, {{"rate", dropout}});
  here = graph.add_node(
      "linear", "linear",
      {here, graph.add_parameter("linear.weight", {3, 8}), graph.add_parameter("linear.bias", {3})});
  if (softmax) here = graph.add_node("softmax", "softmax", {here});
  graph.set_outputs({here});

  Random random(7);
  model.weights["conv.weight"] = random_tensor({8, 1, 1, 7}, 0.5, random);
  model.weights["norm.weight"] = filled({8}, 1);
  model.weights["norm.bias"] = filled({8}, 0);
  model.weights["norm.mean"] = filled({8}, 0);
  model.weights["norm.variance"] = filled({8}, 1);
  model.weights["linear.weight"] = random_tensor({3, 8}, 0.5, random);
  model.weights["linear.bias"] = filled({3}, 0);
  return model;
}

inline bool same_bits(const StateDict& a, const StateDict& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && std::ranges::equal(x.second.bytes(), y.second.bytes());
  });
}

}  // namespace compress::tiny
