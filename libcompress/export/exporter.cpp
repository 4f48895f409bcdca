#include "libcompress/export/exporter.h"

#include "libcompress/base/error.h"
#include "libcompress/base/random.h"
#include "libcompress/export/c_text.h"
#include "libcompress/quant/reference.h"

namespace compress {

ExportProof Exporter::prove(const ExportRequest&, const ExportResult&) const {
  return {"exported files equal the int8 reference", nullptr, "this exporter has no proof of its own"};
}

TestVector record_vector(const ReferenceExecutor& reference, std::vector<std::int8_t> input) {
  TestVector vector{std::move(input), {}};
  for (const auto& output : reference.run_all(vector.input))
    vector.output.insert(vector.output.end(), output.begin(), output.end());
  return vector;
}

std::vector<TestVector> random_vectors(const QuantizedGraph& graph, std::int64_t count) {
  const ReferenceExecutor reference(graph);
  const auto size = static_cast<std::size_t>(element_count(graph.value(graph.inputs.front()).shape));
  Random random(1);
  std::vector<TestVector> vectors;
  for (std::int64_t i = 0; i < count; ++i) {
    std::vector<std::int8_t> input(size);
    for (auto& element : input) element = static_cast<std::int8_t>(random.below(256) - 128);
    vectors.push_back(record_vector(reference, std::move(input)));
  }
  return vectors;
}

ExportResult export_network(const Exporter& exporter, const QuantizedGraph& graph, const ExportOrder& order) {
  if (c_identifier(order.name) != order.name)
    throw Error(ErrorKind::usage,
                {"name of the export", "'" + order.name + "'",
                 "a C identifier of at most 48 characters that no C header and no device has",
                 "for instance '" + c_identifier(order.name) + "'"});
  if (order.vectors < 0 || order.vectors > 1000)
    throw Error(ErrorKind::usage, {"test vectors", std::to_string(order.vectors), "0 to 1000", ""});
  return exporter.run(
      {graph, order.name, random_vectors(graph, order.vectors), order.class_names, order.instructions});
}

}  // namespace compress
