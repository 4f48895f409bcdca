// The layers of a network whose front streams: functions that make one row, and behind them those of whole
// tensors.
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
  network.kernels.insert("rows");
  for (std::size_t i = 0; i < plan.graph.nodes.size(); ++i) {
    const bool front = i < plan.front.size();
    network.layers.push_back(front ? lowered_layer(network, single_rows, i, form_of(plan.front[i].making))
                                   : lowered_layer(network, plan.graph, i, CForm::whole));
  }
  check_sizes(network);
  return network;
}

}  // namespace compress
