// Small networks for the tests of this room.
#pragma once

#include <string>
#include <vector>

#include "libcompress/base/random.h"
#include "libcompress/graph/graph.h"
#include "libcompress/quant/quantize.h"
#include "libcompress/quant/quantized_graph.h"
#include "libcompress/runtime/executor.h"

namespace compress::test {

/// Builds a float network node by node with random weights.
class NetworkBuilder {
 public:
  explicit NetworkBuilder(Shape input, std::uint64_t seed = 1) : random_(seed) {
    model_.name = "test";
    last_ = model_.graph.add_input("input", std::move(input));
  }

  ValueId last() const { return last_; }
  NetworkBuilder& from(ValueId value) {
    last_ = value;
    return *this;
  }

  NetworkBuilder& node(const std::string& op, const std::string& name, Attributes attributes = {}) {
    last_ = model_.graph.add_node(op, name, {last_}, std::move(attributes));
    return *this;
  }
  NetworkBuilder& join(const std::string& op, const std::string& name, std::vector<ValueId> inputs,
                       Attributes attributes = {}) {
    last_ = model_.graph.add_node(op, name, std::move(inputs), std::move(attributes));
    return *this;
  }

  /// `kernel` and stride along each spatial axis, padded to keep the extent at stride 1.
  NetworkBuilder& conv(const std::string& name, std::int64_t outputs, std::vector<std::int64_t> kernel,
                       std::vector<std::int64_t> stride, std::int64_t groups = 1, bool bias = true) {
    const auto channels = model_.graph.value(last_).shape[1];
    Shape weight = {outputs, channels / groups};
    std::vector<std::int64_t> padding;
    for (const auto extent : kernel) weight.push_back(extent), padding.push_back(extent / 2);
    for (const auto extent : kernel) padding.push_back((extent - 1) / 2);
    Attributes attributes{{"stride", stride},
                          {"padding", padding},
                          {"dilation", std::vector<std::int64_t>(kernel.size(), 1)},
                          {"groups", groups}};
    std::vector<ValueId> inputs = {last_, parameter(name + ".weight", weight, -1, 1)};
    if (bias) inputs.push_back(parameter(name + ".bias", {outputs}, -1, 1));
    last_ = model_.graph.add_node("conv", name, inputs, attributes);
    return *this;
  }

  NetworkBuilder& linear(const std::string& name, std::int64_t outputs, bool bias = true) {
    const auto features = model_.graph.value(last_).shape.back();
    std::vector<ValueId> inputs = {last_, parameter(name + ".weight", {outputs, features}, -1, 1)};
    if (bias) inputs.push_back(parameter(name + ".bias", {outputs}, -1, 1));
    last_ = model_.graph.add_node("linear", name, inputs);
    return *this;
  }

  NetworkBuilder& norm(const std::string& name) {
    const Shape channels = {model_.graph.value(last_).shape[1]};
    const std::vector<ValueId> inputs = {
        last_, parameter(name + ".weight", channels, 0.5, 2), parameter(name + ".bias", channels, -1, 1),
        buffer(name + ".mean", channels, -1, 1), buffer(name + ".variance", channels, 0.25, 4)};
    last_ = model_.graph.add_node("batch_norm", name, inputs);
    return *this;
  }

  /// A parameter for join().
  ValueId weight(const std::string& name, const Shape& shape, double low = -1, double high = 1) {
    return parameter(name, shape, low, high);
  }

  Model finish() {
    if (model_.graph.outputs().empty()) model_.graph.set_outputs({last_});
    return model_;
  }
  Model finish(std::vector<ValueId> outputs) {
    model_.graph.set_outputs(std::move(outputs));
    return model_;
  }

 private:
  ValueId parameter(const std::string& name, Shape shape, double low, double high) {
    fill(name, shape, low, high);
    return model_.graph.add_parameter(name, std::move(shape));
  }
  ValueId buffer(const std::string& name, Shape shape, double low, double high) {
    fill(name, shape, low, high);
    return model_.graph.add_buffer(name, std::move(shape));
  }
  void fill(const std::string& name, const Shape& shape, double low, double high) {
    Tensor tensor(DType::float32, shape);
    for (auto& element : tensor.as<float>()) element = static_cast<float>(random_.uniform(low, high));
    model_.weights[name] = tensor;
  }

  Random random_;
  Model model_;
  ValueId last_{};
};

inline std::vector<float> random_inputs(const Model& model, std::int64_t count, std::uint64_t seed = 2) {
  Random random(seed);
  const auto size = element_count(model.graph.value(model.graph.inputs()[0]).shape);
  std::vector<float> inputs(static_cast<std::size_t>(size * count));
  for (auto& element : inputs) element = static_cast<float>(random.normal());
  return inputs;
}

/// The whole range, as the minmax plugin takes it.
class WholeRange final : public Observer {
 public:
  std::unique_ptr<Observer> fresh() const override { return std::make_unique<WholeRange>(); }
  void observe(std::span<const float> values) override {
    for (const float value : values) {
      if (!seen_ || value < range_.low) range_.low = value;
      if (!seen_ || value > range_.high) range_.high = value;
      seen_ = true;
    }
  }
  Range range() const override { return range_; }

 private:
  bool seen_ = false;
  Range range_;
};

inline QuantizedGraph quantized(const Model& model, std::vector<float> inputs) {
  use_threads(1);  // tiny networks gain nothing from more
  ArraySource source(std::move(inputs), element_count(model.graph.value(model.graph.inputs()[0]).shape));
  return quantize(model, {source, WholeRange()});
}

inline QuantizedGraph make_small_quantized_graph() {
  NetworkBuilder build({1, 2, 6, 8});
  build.conv("conv1", 4, {3, 3}, {1, 1}).node("relu", "relu1");
  const auto left = build.last();
  build.conv("conv2", 4, {1, 1}, {1, 1});
  build.join("add", "sum", {left, build.last()});
  build.node("max_pool", "pool",
             {{"kernel", std::vector<std::int64_t>{2, 2}}, {"stride", std::vector<std::int64_t>{2, 2}}});
  build.node("flatten", "flat").linear("fc", 3).node("softmax", "probabilities");
  const auto model = build.finish();
  return quantized(model, random_inputs(model, 4));
}

/// conv, pool, add, linear and softmax: a bit of everything, for tests of verify() and files.
inline QuantizedGraph small_quantized_graph() {
  static const QuantizedGraph graph = make_small_quantized_graph();
  return graph;
}

}  // namespace compress::test
