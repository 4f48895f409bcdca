#include "libcompress/quant/simulation.h"

namespace compress {

Grids grids_of(const Graph& folded, const QuantizedGraph& graph) {
  Grids grids;
  for (const auto& value : graph.values) {
    const auto id = folded.find_value(value.name);
    if (!id || !value.constant.empty()) continue;
    const auto [lowest, highest] = levels_of(value.dtype);
    grids[*id] = {{value.scale}, value.zero_point, lowest, highest};
  }
  for (const auto& node : graph.nodes) {
    if (!std::holds_alternative<QConv>(node.op) && !std::holds_alternative<QLinear>(node.op)) continue;
    const auto id = folded.find_node(node.name);
    if (!id || (folded.node(*id).op != "conv" && folded.node(*id).op != "linear")) continue;
    const auto& scales = graph.value(node.inputs[1]).channel_scales;
    grids[folded.node(*id).inputs[1]] = {scales, 0, -127, 127};
  }
  return grids;
}

}  // namespace compress
