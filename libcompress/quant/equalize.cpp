#include "libcompress/quant/equalize.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

namespace compress {
namespace {

constexpr int kMostRounds = 40;
constexpr double kStill = 1e-3;  ///< when no factor is farther from 1

struct Pair {
  const Node* first;
  const Node* second;
};

class PairFinder {
 public:
  explicit PairFinder(const Graph& graph) : graph_(graph) {}

  std::vector<Pair> run() const {
    std::vector<Pair> pairs;
    for (const auto id : graph_.topological_order()) {
      const auto& node = graph_.node(id);
      if (!is_layer(node)) continue;
      if (const auto* next = layer_behind(node)) pairs.push_back({&node, next});
    }
    return pairs;
  }

 private:
  /// A layer whose weights are its own.
  bool is_layer(const Node& node) const {
    if (node.op != "conv" && node.op != "linear") return false;
    return std::all_of(node.inputs.begin() + 1, node.inputs.end(), [&](ValueId id) {
      return graph_.value(id).kind == ValueKind::parameter && graph_.consumers(id).size() == 1;
    });
  }

  const Node* only_reader(ValueId id) const {
    const auto& outputs = graph_.outputs();
    const auto readers = graph_.consumers(id);
    if (readers.size() != 1 || std::find(outputs.begin(), outputs.end(), id) != outputs.end()) return nullptr;
    return &graph_.node(readers[0]);
  }

  const Node* layer_behind(const Node& layer) const {
    static const std::set<std::string, std::less<>> kHomogeneous = {"relu",     "leaky_relu",      "max_pool",
                                                                    "avg_pool", "global_avg_pool", "flatten"};
    const auto* reader = only_reader(layer.output);
    while (reader && kHomogeneous.contains(reader->op)) {
      if (reader->op == "flatten" && graph_.value(reader->output).shape.size() != 2) return nullptr;
      reader = only_reader(reader->output);
    }
    if (!reader || !is_layer(*reader) || !channels_match(layer, *reader)) return nullptr;
    return reader;
  }

  /// Whether the second layer's inputs are the first one's channels in order, each once or as a block.
  bool channels_match(const Node& first, const Node& second) const {
    const auto channels = graph_.value(first.inputs[1]).shape[0];
    const auto& x = graph_.value(second.inputs[0]).shape;
    if (first.op == "linear" && graph_.value(first.output).shape.size() != 2) return false;
    if (second.op == "conv") return x[1] == channels;
    return x.size() == 2 && x[1] % channels == 0;
  }

  const Graph& graph_;
};

/// The weights of one layer by the channels that leave or enter it.
class Layer {
 public:
  Layer(Model& model, const Node& node) : node_(node), shape_(shape_of(model, node.inputs[1])) {
    weights_ = tensor(model, node.inputs[1]).as<float>();
    if (node.inputs.size() > 2) bias_ = tensor(model, node.inputs[2]).as<float>();
  }

  float largest_leaving(std::int64_t channel) const {
    const auto row = weights_.subspan(static_cast<std::size_t>(channel * row_size()),
                                      static_cast<std::size_t>(row_size()));
    float largest = 0;
    for (const float w : row) largest = std::max(largest, std::abs(w));
    return largest;
  }

  void scale_leaving(std::int64_t channel, float factor) {
    for (std::int64_t i = 0; i < row_size(); ++i)
      weights_[static_cast<std::size_t>(channel * row_size() + i)] *= factor;
    if (!bias_.empty()) bias_[static_cast<std::size_t>(channel)] *= factor;
  }

  float largest_entering(std::int64_t channel, std::int64_t channels) const {
    float largest = 0;
    for_each_entering(channel, channels, [&](float& w) { largest = std::max(largest, std::abs(w)); });
    return largest;
  }

  void scale_entering(std::int64_t channel, std::int64_t channels, float factor) {
    for_each_entering(channel, channels, [&](float& w) { w *= factor; });
  }

 private:
  static Tensor& tensor(Model& model, ValueId id) {
    return model.weights.find(model.graph.value(id).name)->second;
  }
  static const Shape& shape_of(const Model& model, ValueId id) { return model.graph.value(id).shape; }

  std::int64_t row_size() const { return element_count(shape_) / shape_[0]; }

  /// Every weight that reads the channel: a block of columns in the rows of its group.
  template <typename Use>
  void for_each_entering(std::int64_t channel, std::int64_t channels, const Use& use) const {
    const auto groups = node_.op == "conv" ? node_.attributes.integer("groups") : 1;
    const auto in_group = channels / groups;
    const auto rows = shape_[0] / groups;
    const auto block = row_size() / in_group;
    const auto first_row = channel / in_group * rows;
    for (auto row = first_row; row < first_row + rows; ++row) {
      const auto begin = row * row_size() + channel % in_group * block;
      for (auto i = begin; i < begin + block; ++i) use(weights_[static_cast<std::size_t>(i)]);
    }
  }

  const Node& node_;
  Shape shape_;
  std::span<float> weights_;
  std::span<float> bias_;
};

/// One round for one pair; returns how far from 1 the largest factor was, as |log s|.
double even_out(Model& model, const Pair& pair) {
  Layer first(model, *pair.first);
  Layer second(model, *pair.second);
  const auto channels = model.graph.value(pair.first->inputs[1]).shape[0];
  double moved = 0;
  for (std::int64_t c = 0; c < channels; ++c) {
    const double leaving = first.largest_leaving(c);
    const double entering = second.largest_entering(c, channels);
    if (leaving == 0 || entering == 0) continue;  // a dead channel has no range to share
    const double s = std::sqrt(leaving / entering);
    first.scale_leaving(c, static_cast<float>(1 / s));
    second.scale_entering(c, channels, static_cast<float>(s));
    moved = std::max(moved, std::abs(std::log(s)));
  }
  return moved;
}

}  // namespace

Model equalize(const Model& folded) {
  Model model = folded;
  for (auto& [name, tensor] : model.weights) tensor = tensor.clone();
  const auto pairs = PairFinder(model.graph).run();
  for (int round = 0; round < kMostRounds; ++round) {
    double moved = 0;
    for (const auto& pair : pairs) moved = std::max(moved, even_out(model, pair));
    if (moved < kStill) break;
  }
  verify(model);
  return model;
}

std::vector<LayerPair> equalizable_pairs(const Graph& folded) {
  std::vector<LayerPair> names;
  for (const auto& pair : PairFinder(folded).run()) names.push_back({pair.first->name, pair.second->name});
  return names;
}

}  // namespace compress
