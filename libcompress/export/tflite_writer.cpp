#include "libcompress/export/tflite_writer.h"

#include "libcompress/export/tflite/writer.h"

namespace compress {

std::string tflite_bytes(const QuantizedGraph& graph) {
  verify(graph);
  return TfliteWriter(graph).run();
}

ExportResult write_tflite(const ExportRequest& request) {
  ExportResult result;
  result.files[request.name + ".tflite"] = tflite_bytes(request.graph);
  result.constant_bytes = constant_bytes_of(request.graph);
  return result;
}

}  // namespace compress
