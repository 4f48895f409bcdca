// The masked twin: what a pruned network is compared with.
#include <algorithm>
#include <map>

#include "libcompress/surgery/removal.h"
#include "libcompress/surgery/surgery.h"

namespace compress {
namespace {

/// Zeroes the elements of `tensor` at `indices` of `axis`.
void zero_slices(Tensor& tensor, std::size_t axis, const std::vector<std::int64_t>& indices) {
  const auto& shape = tensor.shape();
  const auto at = static_cast<std::ptrdiff_t>(axis);
  const auto outer = element_count({shape.begin(), shape.begin() + at});
  const auto inner = element_count({shape.begin() + at + 1, shape.end()});
  const auto elements = tensor.as<float>();
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const auto index : indices) {
      const auto start = static_cast<std::size_t>((o * shape[axis] + index) * inner);
      std::fill_n(elements.begin() + static_cast<std::ptrdiff_t>(start), inner, 0.0f);
    }
  }
}

/// The axes whose elements a norm's statistics are taken over, and at which axis its parameters begin.
struct NormAxes {
  int begin, end;        ///< of the input
  int parameters_begin;  ///< the input's axis that is axis 0 of scale and shift
};

std::optional<NormAxes> norm_axes(const Node& node, const Shape& shape) {
  const auto rank = static_cast<int>(shape.size());
  if (node.op == "layer_norm") {
    const auto axis = static_cast<int>(node.attributes.integer("axis"));
    return NormAxes{axis, rank, axis};
  }
  if (node.op == "group_norm") return NormAxes{1, 2, 1};
  return std::nullopt;
}

/// Copies a graph; a norm that takes statistics over indices that go takes them over the others only, and
/// gives zero at the indices that go. Weights stay as they are.
class MaskedCopy {
 public:
  MaskedCopy(const Graph& graph, const Coupling& coupling, const std::vector<char>& gone,
             const std::map<NodeId, Rewrite>& rewrites)
      : graph_(graph), coupling_(coupling), gone_(gone), rewrites_(rewrites) {}

  Graph run() {
    for (const auto& value : graph_.values()) {
      if (value.kind == ValueKind::input) places_[value.id] = copy_.add_input(value.name, value.shape);
      if (value.kind == ValueKind::parameter)
        places_[value.id] = copy_.add_parameter(value.name, value.shape);
      if (value.kind == ValueKind::buffer) places_[value.id] = copy_.add_buffer(value.name, value.shape);
    }
    for (const auto id : graph_.topological_order()) {
      const auto& node = graph_.node(id);
      const auto axes = norm_axes(node, graph_.value(node.inputs[0]).shape);
      places_[node.output] = axes ? copy_norm(node, *axes) : copy_node(node, inputs_of(node), node.name);
    }
    std::vector<ValueId> outputs;
    for (const auto output : graph_.outputs()) outputs.push_back(places_.at(output));
    copy_.set_outputs(outputs);
    return std::move(copy_);
  }

 private:
  std::vector<ValueId> inputs_of(const Node& node) const {
    std::vector<ValueId> inputs;
    for (const auto input : node.inputs) inputs.push_back(places_.at(input));
    return inputs;
  }

  ValueId copy_node(const Node& node, std::vector<ValueId> inputs, const std::string& name) {
    return copy_.add_node(node.op, name, std::move(inputs), node.attributes);
  }

  ValueId gather(const std::string& name, ValueId input, int axis, std::vector<std::int64_t> indices) {
    return copy_.add_node("gather", name, {input},
                          {{"axis", static_cast<std::int64_t>(axis)}, {"indices", std::move(indices)}});
  }

  ValueId copy_norm(const Node& node, const NormAxes& axes) {
    const auto& shape = graph_.value(node.inputs[0]).shape;
    auto inputs = inputs_of(node);
    std::map<int, std::vector<std::int64_t>> kept;  // by axis that loses something
    for (int axis = axes.begin; axis < axes.end; ++axis) {
      const auto extent = shape[static_cast<std::size_t>(axis)];
      auto left = surviving(coupling_, coupling_.layers[index_of(node.inputs[0])], axis, extent, gone_);
      if (static_cast<std::int64_t>(left.size()) != extent) kept[axis] = std::move(left);
    }
    if (kept.empty()) return copy_node(node, std::move(inputs), node.name);
    for (const auto& [axis, indices] : kept) {
      for (std::size_t i = 0; i < inputs.size(); ++i)
        inputs[i] = gather(node.name + "/kept" + std::to_string(i) + "_" + std::to_string(axis), inputs[i],
                           i == 0 ? axis : axis - axes.parameters_begin, indices);
    }
    const auto changed = rewrites_.find(node.id);
    const auto& attributes = changed == rewrites_.end() ? node.attributes : changed->second.attributes;
    auto value = copy_.add_node(node.op, node.name + "/masked", std::move(inputs), attributes);
    for (auto each = kept.begin(); each != kept.end(); ++each)
      value = put_back(node.name, value, each->first, each->second, shape, std::next(each) == kept.end());
    return value;
  }

  /// A zero behind the last index of `axis`, then every index from its new place, or from that zero.
  ValueId put_back(const std::string& name, ValueId value, int axis, const std::vector<std::int64_t>& kept,
                   const Shape& shape, bool last) {
    const auto suffix = std::to_string(axis);
    std::vector<std::int64_t> padding(2 * shape.size(), 0);
    padding[shape.size() + static_cast<std::size_t>(axis)] = 1;
    const auto padded = copy_.add_node("pad", name + "/zero" + suffix, {value}, {{"padding", padding}});
    std::vector<std::int64_t> sources(static_cast<std::size_t>(shape[static_cast<std::size_t>(axis)]),
                                      static_cast<std::int64_t>(kept.size()));
    for (std::size_t i = 0; i < kept.size(); ++i)
      sources[static_cast<std::size_t>(kept[i])] = static_cast<std::int64_t>(i);
    return gather(last ? name : name + "/back" + suffix, padded, axis, std::move(sources));
  }

  const Graph& graph_;
  const Coupling& coupling_;
  const std::vector<char>& gone_;
  const std::map<NodeId, Rewrite>& rewrites_;
  Graph copy_;
  std::map<ValueId, ValueId> places_;
};

}  // namespace

Model masked_twin(const Model& model, std::span<const PruningGroup> groups, const PruningPlan& plan) {
  verify_plan(plan, model.graph, groups);
  const auto kept = kept_by_group(groups, plan);
  const auto removed = removal_of(groups, kept);
  Model twin{model.name, model.graph, {}, model.metadata};
  for (const auto& [name, tensor] : model.weights) twin.weights[name] = tensor.clone();
  for (const auto& [axis, indices] : removed) {
    // Buffers stay: behind a zero scale and shift a running statistic has no effect, and a zero variance
    // invites trouble.
    const auto& value = model.graph.value(axis.value);
    if (value.kind == ValueKind::parameter)
      zero_slices(twin.weights.at(value.name), static_cast<std::size_t>(axis.dimension), indices);
  }
  const auto& nodes = model.graph.nodes();
  const bool has_norm = std::any_of(nodes.begin(), nodes.end(), [&](const Node& node) {
    return norm_axes(node, model.graph.value(node.inputs[0]).shape).has_value();
  });
  if (!has_norm) return twin;
  const auto coupling = std::make_shared<const Coupling>(flow_ids(model.graph));
  const auto extents = Shrinker(model.graph, groups, coupling).shrink(kept);
  const auto gone = gone_roots(*coupling, removed);
  twin.graph = MaskedCopy(model.graph, *coupling, gone, extents.rewrites).run();
  return twin;
}

}  // namespace compress
