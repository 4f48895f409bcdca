#include "libcompress/export/c_writer.h"

#include <fmt/format.h>

#include "libcompress/base/error.h"
#include "libcompress/export/c_network.h"

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

}  // namespace

ExportResult write_c(const ExportRequest& request) {
  verify(request.graph);
  const auto network = lowered(request);
  check_vectors(network);
  ExportResult result;
  add_sources(network, result.files);
  add_constants(network, result.files);
  add_kernels(network, result.files);
  if (!request.vectors.empty()) add_tests(network, result.files);
  add_build_files(network, result.files);
  result.arena_bytes = network.storage.arena_bytes;
  result.constant_bytes = network.constant_bytes();
  result.arena = network.storage.arena;
  return result;
}

}  // namespace compress
