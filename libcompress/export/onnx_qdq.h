// An 8-bit network as an ONNX file of operators between QuantizeLinear and DequantizeLinear.
#pragma once

#include "libcompress/export/exporter.h"

namespace compress {

/// Verifies the graph and makes the bytes of the file: operator set 13 of ai.onnx, the oldest with a scale
/// for each channel, or 21 where an activation has 16 bits. Inputs and outputs are float32; between them
/// every operator reads what DequantizeLinear makes of int8 or int16 and writes to a QuantizeLinear, the form
/// that runtimes turn into integer arithmetic. Weights are int8, biases int32, or float32 behind 16 bits.
/// Images are NCHW as ONNX has them, without a permutation unless the network reshapes images. The batch is
/// symbolic ("batch") unless the network moves it. The same graph gives the same bytes.
///
/// Runtimes requantize by float factors, so bytes differ from the reference executor's by a rounding here and
/// there (docs/quantization.md says how many). Error of kind input naming the node for an operator without a
/// form here.
std::string onnx_qdq_bytes(const QuantizedGraph& graph);

/// The one file NAME.onnx.
ExportResult write_onnx_qdq(const ExportRequest& request);

}  // namespace compress
