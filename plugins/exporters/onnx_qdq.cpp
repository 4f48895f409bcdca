// ONNX files of 8-bit networks: libcompress/export/onnx_qdq.h as a plugin.
#include "libcompress/export/onnx_qdq.h"
#include "libcompress/base/catalog.h"

namespace compress {
namespace {

class OnnxQdqExporter final : public Exporter {
 public:
  ExportResult run(const ExportRequest& request) const override { return write_onnx_qdq(request); }

  ExportProof prove(const ExportRequest&, const ExportResult&) const override {
    return {"ONNX file against the int8 reference", nullptr,
            "ONNX runtimes round in their own way, so there are no equal bytes to prove"};
  }
};

}  // namespace

void register_onnx_qdq(Catalog<Exporter>& catalog);

void register_onnx_qdq(Catalog<Exporter>& catalog) {
  catalog.add("onnx_qdq", "an ONNX file with QuantizeLinear and DequantizeLinear, for ONNX Runtime", {},
              [](const Options&) { return std::make_unique<OnnxQdqExporter>(); });
}

}  // namespace compress
