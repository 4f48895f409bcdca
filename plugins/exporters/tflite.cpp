// int8 TensorFlow Lite files: libcompress/export/tflite_writer.h as a plugin.
#include "libcompress/base/catalog.h"
#include "libcompress/export/tflite_writer.h"
#include "libcompress/quant/reference.h"
#include "libcompress/quant/tflite_network.h"

namespace compress {
namespace {

/// The network that a file holds, read and run by this program.
class ReadBack final : public ExportedNetwork {
 public:
  explicit ReadBack(const QuantizedGraph& graph) : executor_(graph) {}

  std::vector<std::int8_t> run(std::span<const std::int8_t> input) override {
    std::vector<std::int8_t> all;
    for (const auto& output : executor_.run_all(input)) all.insert(all.end(), output.begin(), output.end());
    return all;
  }

 private:
  ReferenceExecutor executor_;
};

class TfliteExporter final : public Exporter {
 public:
  ExportResult run(const ExportRequest& request) const override { return write_tflite(request); }

  /// The writer and the reader agree with LiteRT's reference kernels in tests of their own.
  ExportProof prove(const ExportRequest& request, const ExportResult& result) const override {
    const auto& [name, bytes] = *result.files.begin();
    const auto graph = parse_quantized_tflite(std::as_bytes(std::span(bytes)), name, request.graph.profile);
    return {"TensorFlow Lite file equals the int8 reference", std::make_unique<ReadBack>(graph),
            "read back by this program"};
  }
};

}  // namespace

void register_tflite(Catalog<Exporter>& catalog);

void register_tflite(Catalog<Exporter>& catalog) {
  catalog.add("tflite", "an int8 TensorFlow Lite file for LiteRT and TensorFlow Lite Micro", {},
              [](const Options&) { return std::make_unique<TfliteExporter>(); });
}

}  // namespace compress
