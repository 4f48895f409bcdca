// Models as ONNX files, for Netron, ONNX Runtime and whoever reads the format.
//
// Operator set 21 of ai.onnx: the oldest that has all that the op table needs (Gelu came with 20, circular
// Pad with 19, GroupNormalization with one scale a channel with 21). Where ONNX has no such operator a few
// smaller ones stand for it. Weights are raw little-endian initializers under their own names; values keep
// theirs.
#pragma once

#include <filesystem>
#include <string>

#include "libcompress/graph/graph.h"

namespace compress {

/// The bytes of the file; the same model gives the same bytes. The batch is symbolic ("batch") unless
/// fixed_batch_reason() has one. Error of kind input if the model does not verify() or its weights do not fit
/// into the 2 GB that the format allows.
std::string format_onnx(const Model& model);

/// Writes the file whole or not at all.
void write_onnx(const std::filesystem::path& path, const Model& model);

/// Why the graph runs only with the batch that its inputs declare: "node 'view' reshapes the batch into a
/// constant". Empty where any batch will do.
std::string fixed_batch_reason(const Graph& graph);

}  // namespace compress
