// The layers of a network whose front streams: functions that make one row, and behind them those of whole
// tensors.
#include <utility>

#include "libcompress/export/c_network.h"
#include "libcompress/export/c_text.h"
#include "libcompress/export/stream_plan.h"

namespace compress {
namespace {

/// The graph as the front's functions see it: every tensor is one row.
QuantizedGraph of_single_rows(const StreamPlan& plan) {
  auto graph = plan.graph;
  for (std::size_t i = 0; i < graph.values.size(); ++i)
    if (plan.values[i].count > 0) graph.values[i].shape[1] = 1;
  return graph;
}

Shape& shape_of(QuantizedGraph& graph, QValueId id) { return graph.values[index_of(id)].shape; }

/// Along one axis, as a run of neighbors, where the other has one position only.
void lay_on_its_side(QuantizedGraph& graph, QNode& node) {
  auto& window = std::get<QConv>(node.op).window;
  const auto swap_pair = [](std::int32_t (&pair)[2]) { std::swap(pair[0], pair[1]); };
  for (const auto id : {node.inputs[0], node.inputs[1], node.output})
    std::swap(shape_of(graph, id)[1], shape_of(graph, id)[2]);
  for (auto* pair : {&window.kernel, &window.stride, &window.pad_begin, &window.pad_end, &window.dilation})
    swap_pair(*pair);
}

/// The graph as a node that makes a block sees it: a small image whose rows have no padding above or below.
QuantizedGraph of_block(const StreamPlan& plan, std::size_t position) {
  auto graph = plan.graph;
  auto& node = graph.nodes[position];
  auto& input = shape_of(graph, node.inputs[0]);
  auto& output = shape_of(graph, node.output);
  auto& window = std::get<QConv>(node.op).window;
  const auto block = plan.front[position].block;
  input[1] = row_window(node).under(block);
  output[1] = block;
  window.pad_begin[0] = window.pad_end[0] = 0;
  if (input[2] == 1 && output[2] == 1 && window.kernel[1] == 1) lay_on_its_side(graph, node);
  return graph;
}

CForm form_of(Making making) {
  switch (making) {
    case Making::window:
      return CForm::rows;
    case Making::cumulate:
      return CForm::take;
    default:
      return CForm::whole;  // a row is all that it sees
  }
}

Storage storage_of(const StreamPlan& plan) {
  Storage storage;
  storage.places = plan.places;
  storage.copies = plan.copies;
  storage.arena = plan.arena;
  storage.arena_bytes = plan.total_bytes();
  storage.output_bytes = plan.output_bytes;
  return storage;
}

}  // namespace

CNetwork lowered(const ExportRequest& request, const StreamPlan& plan) {
  CNetwork network{request, c_identifier(request.name), storage_of(plan), {}, {}, {}, &plan};
  const auto single_rows = of_single_rows(plan);
  for (std::size_t i = 0; i < plan.graph.nodes.size(); ++i) {
    const bool front = i < plan.front.size();
    const auto making = front ? plan.front[i].making : Making::rows;
    if (making == Making::window) network.kernels.insert("rows");
    if (making == Making::block) network.kernels.insert("blocks");
    network.layers.push_back(
        making == Making::block
            ? lowered_layer(network, of_block(plan, i), i, CForm::whole)
            : lowered_layer(network, front ? single_rows : plan.graph, i, form_of(making)));
  }
  check_sizes(network);
  return network;
}

}  // namespace compress
