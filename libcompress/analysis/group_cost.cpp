#include "libcompress/analysis/group_cost.h"

#include <map>

#include "libcompress/analysis/cost.h"

namespace compress {
namespace {

/// By value: multiply-accumulates of the nodes whose weight it is.
std::map<ValueId, std::int64_t> macs_by_weight(const Graph& graph) {
  std::map<ValueId, std::int64_t> macs;
  for (const auto& cost : cost_of(graph).nodes) {
    const Node& node = graph.node(cost.node);
    if (node.inputs.size() > 1 && graph.value(node.inputs[1]).kind == ValueKind::parameter)
      macs[node.inputs[1]] += cost.macs;
  }
  return macs;
}

/// The elements of one parameter that a group covers, and those that go with one index of it.
struct Cover {
  Shape left;                ///< extents without the group
  std::vector<double> once;  ///< extents without the mean index
};

std::map<ValueId, Cover> covers_of(const Graph& graph, const PruningGroup& group) {
  std::map<ValueId, Cover> covers;
  for (const auto& member : group.members) {
    const auto& value = graph.value(member.axis.value);
    if (value.kind != ValueKind::parameter) continue;
    auto& cover = covers[value.id];
    if (cover.left.empty()) cover = {value.shape, {value.shape.begin(), value.shape.end()}};
    const auto axis = static_cast<std::size_t>(member.axis.dimension);
    const auto taken = member.indices.all().size();
    cover.left[axis] -= static_cast<std::int64_t>(taken);
    cover.once[axis] -= static_cast<double>(taken) / static_cast<double>(group.size);
  }
  return covers;
}

double product(const std::vector<double>& factors) {
  double result = 1;
  for (const auto each : factors) result *= each;
  return result;
}

}  // namespace

std::vector<GroupCost> cost_of_groups(const Graph& graph, std::span<const PruningGroup> groups) {
  const auto macs = macs_by_weight(graph);
  std::vector<GroupCost> costs;
  for (const auto& group : groups) {
    GroupCost cost;
    for (const auto& [value, cover] : covers_of(graph, group)) {
      const auto count = element_count(graph.value(value).shape);
      const double lost = static_cast<double>(count) - product(cover.once);
      cost.params += count - element_count(cover.left);
      cost.params_an_index += lost;
      const auto found = macs.find(value);
      if (found == macs.end() || count == 0) continue;
      cost.macs += found->second;
      cost.macs_an_index += lost / static_cast<double>(count) * static_cast<double>(found->second);
    }
    cost.bytes = 4 * cost.params;
    costs.push_back(cost);
  }
  return costs;
}

}  // namespace compress
