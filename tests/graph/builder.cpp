#include "tests/graph/builder.h"

#include <cmath>

namespace compress::testing {

using Integers = std::vector<std::int64_t>;

ValueId Builder::conv(const std::string& name, ValueId input, std::int64_t channels, const ConvSpec& spec) {
  Shape weight = {channels, shape(input)[1] / spec.groups};
  weight.insert(weight.end(), spec.kernel.begin(), spec.kernel.end());
  std::vector<ValueId> inputs = {input, graph.add_parameter(name + ".weight", weight)};
  if (spec.bias) inputs.push_back(graph.add_parameter(name + ".bias", {channels}));
  Integers padding = spec.padding;
  padding.insert(padding.end(), spec.padding.begin(), spec.padding.end());
  return graph.add_node("conv", name, inputs,
                        {{"stride", spec.stride},
                         {"padding", padding},
                         {"dilation", Integers(spec.kernel.size(), 1)},
                         {"groups", spec.groups}});
}

ValueId Builder::depthwise(const std::string& name, ValueId input, std::int64_t multiplier) {
  const auto channels = shape(input)[1];
  return conv(name, input, channels * multiplier, {.groups = channels});
}

ValueId Builder::linear(const std::string& name, ValueId input, std::int64_t features, bool bias) {
  std::vector<ValueId> inputs = {input,
                                 graph.add_parameter(name + ".weight", {features, shape(input).back()})};
  if (bias) inputs.push_back(graph.add_parameter(name + ".bias", {features}));
  return graph.add_node("linear", name, inputs);
}

ValueId Builder::batch_norm(const std::string& name, ValueId input) {
  const Shape channels = {shape(input)[1]};
  return graph.add_node(
      "batch_norm", name,
      {input, graph.add_parameter(name + ".weight", channels), graph.add_parameter(name + ".bias", channels),
       graph.add_buffer(name + ".running_mean", channels),
       graph.add_buffer(name + ".running_var", channels)});
}

ValueId Builder::relu(const std::string& name, ValueId input) { return unary("relu", name, input); }

ValueId Builder::add(const std::string& name, ValueId a, ValueId b) {
  return graph.add_node("add", name, {a, b});
}

ValueId Builder::concat(const std::string& name, std::vector<ValueId> inputs, std::int64_t axis) {
  return graph.add_node("concat", name, std::move(inputs), {{"axis", axis}});
}

ValueId Builder::pool(const std::string& op, const std::string& name, ValueId input, Integers kernel) {
  return graph.add_node(op, name, {input}, {{"kernel", kernel}, {"stride", kernel}});
}

ValueId Builder::permute(const std::string& name, ValueId input, Integers order) {
  return graph.add_node("permute", name, {input}, {{"order", std::move(order)}});
}

ValueId Builder::unary(const std::string& op, const std::string& name, ValueId input) {
  return graph.add_node(op, name, {input});
}

Graph Builder::done(ValueId output) {
  graph.set_outputs({output});
  return graph;
}

Model with_random_weights(Graph graph, Random& random) {
  Model model{"test", std::move(graph), {}, {}};
  for (const auto id : model.graph.parameters()) {
    const auto& value = model.graph.value(id);
    Tensor tensor(DType::float32, value.shape);
    const auto fan_in = static_cast<double>(element_count(value.shape) / value.shape[0]);
    for (auto& element : tensor.as<float>()) {
      if (value.name.ends_with("running_var")) {
        element = static_cast<float>(random.uniform(0.5, 2.0));
      } else if (value.shape.size() == 1) {
        element = static_cast<float>(0.3 * random.normal() + (value.name.ends_with("weight") ? 1.0 : 0.0));
      } else {
        element = static_cast<float>(random.normal() * std::sqrt(2.0 / fan_in));
      }
    }
    model.weights[value.name] = std::move(tensor);
  }
  return model;
}

namespace {

/// Grows a network step by step from a trunk.
class Drawing {
 public:
  explicit Drawing(Random& random)
      : random_(random),
        net_({1, 1 + random.below(3), 6 + random.below(6), 6 + random.below(6)}),
        at_(net_.input()) {}

  Graph draw() {
    at_ = net_.conv(name("conv"), at_, width());
    for (std::int64_t i = 2 + random_.below(6); i > 0; --i) step();
    return net_.done(head());
  }

 private:
  std::string name(const std::string& stem) { return stem + std::to_string(count_++); }
  std::int64_t width() { return 2 + random_.below(7); }
  Shape shape() const { return net_.shape(at_); }

  ConvSpec conv_spec() {
    ConvSpec spec;
    if (random_.below(3) == 0) spec = {.kernel = {1, 1}, .padding = {0, 0}};
    if (random_.below(4) == 0 && shape()[2] > 3 && shape()[3] > 3) spec.stride = {2, 1};
    spec.bias = random_.below(2) == 0;
    return spec;
  }

  ValueId norm_and_relu(ValueId value) {
    if (random_.below(2) == 0) value = net_.batch_norm(name("norm"), value);
    if (random_.below(2) == 0) value = net_.relu(name("relu"), value);
    return value;
  }

  ValueId same_size(ValueId from, std::int64_t channels) {
    return norm_and_relu(net_.conv(name("conv"), from, channels, {.bias = random_.below(2) == 0}));
  }

  void step() {
    switch (random_.below(11)) {
      case 0:
      case 1:
        at_ = norm_and_relu(net_.conv(name("conv"), at_, width(), conv_spec()));
        break;
      case 2:
        at_ = norm_and_relu(net_.depthwise(name("depthwise"), at_, 1 + random_.below(2)));
        break;
      case 3:
        grouped();
        break;
      case 4:
        at_ = net_.add(name("add"), at_, same_size(at_, shape()[1]));
        break;
      case 5:
        at_ = net_.add(name("add"), same_size(at_, 4), same_size(at_, 4));
        break;
      case 6:
        at_ = net_.concat(name("concat"), {at_, same_size(at_, width()), same_size(at_, width())});
        break;
      case 7:
        pool();
        break;
      case 8:
        at_ = net_.permute(name("permute"), at_, {0, 1, 3, 2});
        break;
      case 9:
        at_ = net_.concat(name("concat"), {at_, same_size(at_, shape()[1])}, 2);
        break;
      case 10:
        channels_to_columns();
        break;
    }
  }

  void grouped() {
    const auto groups = 2 + random_.below(2);
    at_ = net_.conv(name("conv"), at_, groups * (1 + random_.below(3)));
    at_ = norm_and_relu(net_.conv(name("grouped"), at_, groups * (1 + random_.below(3)), {.groups = groups}));
  }

  void pool() {
    if (shape()[2] < 2 || shape()[3] < 2) return;
    at_ = net_.pool(random_.below(2) ? "max_pool" : "avg_pool", name("pool"), at_, {2, 1 + random_.below(2)});
  }

  /// A linear layer over the last axis, or channels moved to the end and back.
  void channels_to_columns() {
    at_ = net_.permute(name("permute"), at_, {0, 2, 3, 1});
    at_ = net_.linear(name("linear"), at_, width(), random_.below(2) == 0);
    if (random_.below(3) > 0) at_ = net_.permute(name("permute"), at_, {0, 3, 1, 2});
  }

  ValueId head() {
    if (random_.below(2) == 0) at_ = net_.unary("global_avg_pool", name("mean"), at_);
    at_ = net_.unary("flatten", name("flatten"), at_);
    if (random_.below(2) == 0) at_ = norm_and_relu(net_.linear(name("linear"), at_, width()));
    if (random_.below(2) == 0) at_ = net_.unary("dropout", name("dropout"), at_);
    at_ = net_.linear(name("linear"), at_, 3);
    return random_.below(2) == 0 ? net_.unary("softmax", name("softmax"), at_) : at_;
  }

  Random& random_;
  Builder net_;
  ValueId at_;
  int count_ = 0;
};

}  // namespace

Graph random_graph(Random& random) { return Drawing(random).draw(); }

}  // namespace compress::testing
