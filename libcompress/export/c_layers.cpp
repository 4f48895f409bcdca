// From nodes to layer functions.
#include <fmt/format.h>

#include "libcompress/base/error.h"
#include "libcompress/export/c_layers/layer_writer.h"
#include "libcompress/export/c_network.h"
#include "libcompress/export/c_text.h"

namespace compress {

std::int64_t CNetwork::constant_bytes() const {
  std::int64_t total = 0;
  for (const auto& constant : constants) total += constant.byte_count();
  return total;
}

CLayer lowered_layer(CNetwork& network, const QuantizedGraph& sized, std::size_t position, CForm form) {
  return LayerWriter(network, sized, form).run(position);
}

void check_sizes(const CNetwork& network) {
  const auto refuse_above = [](std::int64_t bytes, const std::string& what) {
    if (bytes > kMostCBytes)
      throw Error(ErrorKind::input,
                  {"C export", fmt::format("{} bytes of {}", bytes, what), "at most 2^30", ""});
  };
  refuse_above(network.storage.arena_bytes, "arena");
  refuse_above(network.constant_bytes(), "constants");
}

CNetwork lowered(const ExportRequest& request) {
  CNetwork network{request, c_identifier(request.name), assign_storage(request.graph), {}, {}, {}};
  for (std::size_t i = 0; i < request.graph.nodes.size(); ++i)
    network.layers.push_back(lowered_layer(network, request.graph, i, CForm::whole));
  check_sizes(network);
  return network;
}

}  // namespace compress
