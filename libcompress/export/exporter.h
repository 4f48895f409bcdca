// Exporters turn an 8-bit network into files for somewhere else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "libcompress/base/catalog.h"
#include "libcompress/export/instruction_set.h"
#include "libcompress/quant/quantized_graph.h"

namespace compress {

class ReferenceExecutor;

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
  /// The most that kernels may use. What an exporter has no kernels for, it writes for less.
  InstructionSet instructions = InstructionSet::c;
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

/// An exported network that answers inputs, one at a time.
class ExportedNetwork {
 public:
  virtual ~ExportedNetwork() = default;

  /// Flat NHWC int8 in; every output in the graph's order, one after the other.
  virtual std::vector<std::int8_t> run(std::span<const std::int8_t> input) = 0;
};

/// What a run compares with the reference executor, byte by byte, to prove an export.
struct ExportProof {
  std::string claim;  ///< "C code compiled for this computer equals the int8 reference"
  std::unique_ptr<ExportedNetwork> network;  ///< nullptr where nothing here can run it
  std::string by;                            ///< what runs it, or why nothing does
};

/// Plugin interface. Error of kind input naming the node that has no form here.
class Exporter {
 public:
  virtual ~Exporter() = default;

  /// Pure: makes text, writes nothing.
  virtual ExportResult run(const ExportRequest& request) const = 0;

  /// Of what run() made of `request`. An exporter without a proof of its own leaves it to be skipped.
  virtual ExportProof prove(const ExportRequest& request, const ExportResult& result) const;

  /// Whether the files hold the test program that run_on_cortex_m4() (export/verify.h) runs.
  virtual bool tests_microcontrollers() const { return false; }
};

/// `input` with every output of the reference executor.
TestVector record_vector(const ReferenceExecutor& reference, std::vector<std::int8_t> input);

/// Inputs that reach every corner of the int8 range, the same in every call.
std::vector<TestVector> random_vectors(const QuantizedGraph& graph, std::int64_t count);

/// What is exported outside a run, with random vectors. Error of kind usage for another name or count.
struct ExportOrder {
  std::string name = "network";  ///< a C identifier of at most 48 characters
  std::int64_t vectors = 8;      ///< 0 to 1000
  std::vector<std::string> class_names{};
  InstructionSet instructions = InstructionSet::c;
};
ExportResult export_network(const Exporter& exporter, const QuantizedGraph& graph, const ExportOrder& order);

}  // namespace compress
