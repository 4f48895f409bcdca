// Exporters turn an 8-bit network into files for somewhere else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "libcompress/base/catalog.h"
#include "libcompress/quant/quantized_graph.h"

namespace compress {

/// A recorded pair that the exported test program checks: flat NHWC int8 input and the reference executor's
/// output.
struct TestVector {
  std::vector<std::int8_t> input;
  std::vector<std::int8_t> output;
};

struct ExportRequest {
  const QuantizedGraph& graph;
  std::string name;                      ///< C identifier: the prefix of everything that is exported
  std::vector<TestVector> vectors;       ///< recorded by the int8 reference executor
  std::vector<std::string> class_names;  ///< for comments and the test program; may be empty
};

/// Where one activation lies in the arena, for the report.
struct PlacedTensor {
  std::string name;
  std::int64_t offset = 0, bytes = 0;
  std::int64_t first_node = 0, last_node = 0;  ///< alive from .. to, as positions in QuantizedGraph::nodes
};

struct ExportResult {
  std::map<std::string, std::string> files;  ///< content by path relative to the export folder
  std::int64_t arena_bytes = 0;
  std::int64_t constant_bytes = 0;
  std::vector<PlacedTensor> arena;
};

/// Plugin interface. Pure: makes text, writes nothing. Error of kind input naming the node that has no form
/// here.
class Exporter {
 public:
  virtual ~Exporter() = default;
  virtual ExportResult run(const ExportRequest& request) const = 0;
};

}  // namespace compress
