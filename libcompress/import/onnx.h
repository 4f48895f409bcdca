// ONNX files, opset 7 to 23, as models. Nothing of a file is executed.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "libcompress/graph/graph.h"
#include "libcompress/import/foreign.h"

namespace compress {

struct OnnxOptions {
  /// Graph inputs that are bound to constants, by name: float or integer tensors.
  std::map<std::string, Tensor> constants{};
  /// Extents of graph inputs, by name, for files that leave some open. -1 keeps what the file says. A first
  /// extent that is given fixes the batch; one left open by the file and kept stays free, and is declared
  /// as 1.
  std::map<std::string, Shape> shapes{};
};

/// Reads the file, with the external data it names in its own folder. Float types become float32; shape
/// arithmetic and other constants are folded; nodes that no output needs are left out. Initializers keep
/// their names and become parameters; running statistics and literal numbers become buffers. Nodes keep their
/// names, or get that of their output. Error of kind io if a file cannot be read; of kind input if it is
/// damaged or hostile, or if a node is not supported: the first such node, how many more, and what is
/// supported.
Model read_onnx(const std::filesystem::path& path, const OnnxOptions& options = {});

/// The same from memory: `name` stands for the path in messages, external data is looked for in `folder`.
Model parse_onnx(std::span<const std::byte> bytes, const std::string& name,
                 const std::filesystem::path& folder, const OnnxOptions& options = {});

/// Every node of the file in its order, supported or not. Errors as above, but not for what is not supported.
std::vector<ForeignNode> list_onnx(const std::filesystem::path& path, const OnnxOptions& options = {});

/// Names of the operators that can be read, sorted.
std::vector<std::string> onnx_operators();

/// Whether `bytes`, the beginning of a file, look like ONNX: a message whose fields are those of a model up
/// to a graph.
bool is_onnx(std::span<const std::byte> bytes);

}  // namespace compress
