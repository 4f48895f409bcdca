// TensorFlow Lite files of floats as models. Nothing of a file is executed.
//
// The files order images [N, H, W, C], the graph orders them [N, C, H, W]: every input and output of rank 4
// is fed and given as [N, C, H, W], all others as in the file. Inside, permutes appear only where the order
// of the elements matters, such as before an image becomes the features of a fully connected layer.
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

struct TfliteOptions {
  /// Extents of graph inputs by name, in the file's order of axes, for files that leave more open than the
  /// batch. -1 keeps what the file says. A first extent that is given fixes the batch; one left open by the
  /// file and kept stays free, and is declared as 1.
  std::map<std::string, Shape> shapes{};
};

/// Reads the file: activations of float32; constants may be of 16-bit floats or, with a scale, of 8 bits, and
/// become the float32 they stand for. Shape arithmetic and other constants are folded; operators that no
/// output needs are left out. A node is called like the tensor that the operator
/// makes, its weights NODE.weight and NODE.bias. Error of kind io if the file cannot be read; of kind input
/// if it is damaged or hostile, if its activations are quantized, or if an operator is not supported: the
/// first such operator, how many more, and what is supported.
Model read_tflite(const std::filesystem::path& path, const TfliteOptions& options = {});

/// The same from memory: `name` stands for the path in messages.
Model parse_tflite(std::span<const std::byte> bytes, const std::string& name,
                   const TfliteOptions& options = {});

/// Every operator of the file in its order, supported or not. Errors as above, but not for what is not
/// supported.
std::vector<ForeignNode> list_tflite(const std::filesystem::path& path, const TfliteOptions& options = {});

/// Names of the operators that can be read, sorted.
std::vector<std::string> tflite_operators();

/// Whether `bytes` look like a TensorFlow Lite file: they carry its identifier.
bool is_tflite(std::span<const std::byte> bytes);

}  // namespace compress
