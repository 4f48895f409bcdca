// What the tests of criteria share: all of them, and a network small enough to score by hand.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "plugins/criteria/criteria.h"
#include "tests/graph/builder.h"

namespace compress::testing {

inline Catalog<Criterion> criteria() {
  Catalog<Criterion> catalog("criterion");
  register_bn_scale(catalog);
  register_fisher(catalog);
  register_geometric_median(catalog);
  register_lamp(catalog);
  register_magnitude(catalog);
  register_normalized_taylor(catalog);
  register_random(catalog);
  register_taylor(catalog);
  return catalog;
}

inline void set_weight(Model& model, const std::string& name, const std::vector<float>& values) {
  model.weights[name] = Tensor::of(model.weights.at(name).shape(), values);
}

inline Model with_some_weights(Graph graph) {
  Random random(1);
  return with_random_weights(std::move(graph), random);
}

/// Two channels: conv a [2, 1, 1, 1], its norm, and a linear layer that reads 1 x 2 pixels of each.
inline Model sample() {
  Builder net({1, 1, 1, 2});
  const auto a = net.conv("a", net.input(), 2, {.kernel = {1, 1}, .padding = {0, 0}, .bias = true});
  auto model =
      with_some_weights(net.done(net.linear("fc", net.unary("flatten", "f", net.batch_norm("n", a)), 1)));
  set_weight(model, "a.weight", {3, -1});
  set_weight(model, "a.bias", {100, 100});
  set_weight(model, "n.weight", {-0.5, 2});
  set_weight(model, "fc.weight", {4, 0, 2, -2});
  return model;
}

/// The scores of all groups by a criterion of weights alone.
inline std::vector<Scores> score(const Model& model, const std::string& criterion,
                                 const std::map<std::string, OptionValue>& options = {},
                                 std::uint64_t seed = 0) {
  return criteria().make(criterion, options)->score_all(find_groups(model.graph), {model, seed});
}

/// Hands out fixed gradients of parameters, or fixed changes of one tap: for each batch [examples, extent].
class Fixed final : public GradientSource {
 public:
  explicit Fixed(std::vector<StateDict> batches) : batches_(std::move(batches)) {}
  explicit Fixed(std::vector<Tensor> changes) : changes_(std::move(changes)) {}

  void for_each_batch(const std::function<void(const StateDict&)>& use) override {
    for (const auto& batch : batches_) use(batch);
  }

  void for_each_tapped_batch(std::span<const Tap> taps,
                             const std::function<void(std::span<const Tensor>)>& use) override {
    asked.assign(taps.begin(), taps.end());
    for (const auto& batch : changes_) use({&batch, 1});
  }

  std::vector<Tap> asked;

 private:
  std::vector<StateDict> batches_;
  std::vector<Tensor> changes_;
};

}  // namespace compress::testing
