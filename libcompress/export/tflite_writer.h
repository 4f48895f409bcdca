// An 8-bit network as a TensorFlow Lite file that its reference kernels run to the same bytes.
#pragma once

#include "libcompress/export/exporter.h"

namespace compress {

/// Verifies the graph and makes the bytes of a FlatBuffer (schema version 3, data inside). Paddings that
/// TensorFlow Lite has no name for become operators PAD and PADV2. The same graph gives the same bytes. The
/// file does not carry the rounding profile: LiteRT's reference kernels run it as `litert`, TensorFlow Lite
/// Micro as `tflite-micro`. Error of kind input naming the node for a clamp that is no fused activation, an
/// average over a padding that is not SAME, or a multiplier other than the file's reader would compute.
std::string tflite_bytes(const QuantizedGraph& graph);

/// The one file NAME.tflite.
ExportResult write_tflite(const ExportRequest& request);

}  // namespace compress
