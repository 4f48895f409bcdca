// int8 TensorFlow Lite files: libcompress/export/tflite_writer.h as a plugin.
#include "libcompress/base/catalog.h"
#include "libcompress/export/tflite_writer.h"

namespace compress {
namespace {

class TfliteExporter final : public Exporter {
 public:
  ExportResult run(const ExportRequest& request) const override { return write_tflite(request); }
};

}  // namespace

void register_tflite(Catalog<Exporter>& catalog);

void register_tflite(Catalog<Exporter>& catalog) {
  catalog.add("tflite", "an int8 TensorFlow Lite file for LiteRT and TensorFlow Lite Micro", {},
              [](const Options&) { return std::make_unique<TfliteExporter>(); });
}

}  // namespace compress
