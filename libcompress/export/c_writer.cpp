#include "libcompress/export/c_writer.h"

#include <fmt/format.h>

#include <optional>

#include "libcompress/base/error.h"
#include "libcompress/export/c_network.h"
#include "libcompress/export/stream_plan.h"

namespace compress {
namespace {

void check_vectors(const CNetwork& network) {
  for (std::size_t i = 0; i < network.request.vectors.size(); ++i) {
    const auto& [input, output] = network.request.vectors[i];
    if (static_cast<std::int64_t>(input.size()) == network.input_bytes() &&
        static_cast<std::int64_t>(output.size()) == network.storage.output_bytes)
      continue;
    throw Error(
        ErrorKind::input,
        {fmt::format("test vector {}", i), fmt::format("{} bytes in and {} out", input.size(), output.size()),
         fmt::format("{} in and {} out", network.input_bytes(), network.storage.output_bytes), ""});
  }
}

ExportResult written(const CNetwork& network) {
  check_vectors(network);
  ExportResult result;
  add_sources(network, result.files);
  add_constants(network, result.files);
  add_kernels(network, result.files);
  if (!network.request.vectors.empty()) add_tests(network, result.files);
  add_build_files(network, result.files);
  result.arena_bytes = network.storage.arena_bytes;
  result.constant_bytes = network.constant_bytes();
  result.arena = network.storage.arena;
  return result;
}

/// nullopt where whole tensors are asked for, or smaller.
std::optional<StreamPlan> stream_for(const QuantizedGraph& graph, CMemory memory) {
  if (memory == CMemory::whole) return std::nullopt;
  auto plan = plan_stream(graph);
  if (memory == CMemory::least)
    return plan && plan->total_bytes() < assign_storage(graph).arena_bytes ? plan : std::nullopt;
  if (plan) return plan;
  throw Error(ErrorKind::input,
              {"C export, network '" + graph.name + "'", "a first layer that needs the whole input",
               "one that can run row by row", "keep whole tensors: memory 'whole' or 'auto'"});
}

}  // namespace

ExportResult write_c(const ExportRequest& request, CMemory memory) {
  verify(request.graph);
  const auto plan = stream_for(request.graph, memory);
  return plan ? write_c(request, *plan) : written(lowered(request));
}

ExportResult write_c(const ExportRequest& request, const StreamPlan& plan) {
  const ExportRequest streamed{plan.graph, request.name, request.vectors, request.class_names,
                               request.instructions};
  return written(lowered(streamed, plan));
}

}  // namespace compress
