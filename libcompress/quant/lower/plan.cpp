#include "libcompress/quant/lower/plan.h"

#include <algorithm>
#include <limits>
#include <string>

namespace compress::lowering {
namespace {

class Planner {
 public:
  Planner(const Graph& graph, const ValueRanges& ranges) : graph_(graph), known_(ranges) {}

  Plan run() {
    for (const auto& node : graph_.nodes()) join_clamp(node);
    for (const auto& value : graph_.values()) {
      const auto found = known_.find(value.name);
      if (found != known_.end()) plan_.ranges[value.id] = found->second;
    }
    auto order = graph_.topological_order();
    for (auto id = order.rbegin(); id != order.rend(); ++id) {
      if (graph_.node(*id).op == "concat") share_range(graph_.node(*id));
    }
    return std::move(plan_);
  }

 private:
  void join_clamp(const Node& node) {
    static const std::set<std::string, std::less<>> kClamping = {
        "conv", "conv_transpose", "linear", "add", "sub", "mul", "batch_norm"};
    if (!kClamping.contains(node.op) || !read_once(graph_, node.output)) return;
    const auto& reader = graph_.node(graph_.consumers(node.output)[0]);
    if (!bounds_of(reader)) return;
    plan_.clamps[node.id] = &reader;
    plan_.absorbed.insert(reader.id);
  }

  /// Inputs that nobody else reads take the concat's scale where they are made, so that nothing is rounded
  /// twice. Its range grows to theirs: what a max pool drops must not be clipped before it.
  void share_range(const Node& concat) {
    if (!plan_.ranges.contains(concat.output)) return;
    std::vector<ValueId> sharing = {concat.output};
    for (const auto id : concat.inputs) {
      const auto origin = scale_origin(id);
      if (origin && plan_.ranges.contains(*origin)) sharing.push_back(*origin);
    }
    Range all = plan_.ranges.at(concat.output);
    for (const auto id : sharing) {
      all.low = std::min(all.low, plan_.ranges.at(id).low);
      all.high = std::max(all.high, plan_.ranges.at(id).high);
    }
    for (const auto id : sharing) plan_.ranges[id] = all;
  }

  /// The value that decides the scale of `id`, if every reader of it and of those between leads to `id`. A
  /// mean is narrower than what it averages: its scale is better changed behind it.
  std::optional<ValueId> scale_origin(ValueId id) const {
    static const std::set<std::string, std::less<>> kSharing = {
        "max_pool",      "global_max_pool", "adaptive_max_pool", "permute",
        "flatten",       "identity",        "reshape",           "slice",
        "gather",        "resize",          "channel_shuffle",   "depth_to_space",
        "space_to_depth"};
    static const std::set<std::string, std::less<>> kFixed = {
        "softmax", "avg_pool", "global_avg_pool", "adaptive_avg_pool",
        "sigmoid", "tanh",     "hard_sigmoid",    "pad"};
    for (;;) {
      const auto* producer = graph_.producer(id);
      if (!producer || !read_once(graph_, id) || kFixed.contains(producer->op)) return std::nullopt;
      if (!kSharing.contains(producer->op)) return id;
      id = producer->inputs[0];
    }
  }

  const Graph& graph_;
  const ValueRanges& known_;
  Plan plan_;
};

}  // namespace

std::optional<Bounds> bounds_of(const Node& node) {
  constexpr float kNone = std::numeric_limits<float>::infinity();
  if (node.op == "relu") return Bounds{0, kNone};
  if (node.op == "relu6") return Bounds{0, 6};
  if (node.op != "clip") return std::nullopt;
  return Bounds{static_cast<float>(node.attributes.number("min")),
                static_cast<float>(node.attributes.number("max"))};
}

Plan plan_for(const Graph& graph, const ValueRanges& ranges) { return Planner(graph, ranges).run(); }

bool read_once(const Graph& graph, ValueId id) {
  const auto& outputs = graph.outputs();
  return std::find(outputs.begin(), outputs.end(), id) == outputs.end() && graph.consumers(id).size() == 1;
}

}  // namespace compress::lowering
