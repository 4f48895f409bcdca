// One call that reads a checkpoint of any format we know: safetensors, and both kinds of PyTorch file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libcompress/graph/tensor.h"

namespace compress {

enum class CheckpointFormat { safetensors, torch_zip, torch_legacy };

/// A state dict and the small values beside it.
///
/// A PyTorch file may keep its state dict under a key, {"weight": {...}, "config": [...]}. If one branch
/// alone holds tensors, or one alone is a dict of nothing but tensors (beside an optimizer's state, say),
/// that branch is the state dict: `prefix` is its key and is not part of the names. Else every tensor keeps
/// its full dotted name.
struct Checkpoint {
  CheckpointFormat format = CheckpointFormat::safetensors;
  StateDict tensors;        ///< row-major, dtypes as in the file (bfloat16 widened to float32)
  StateDict other_tensors;  ///< tensors outside the state dict, by full dotted name
  std::string prefix;       ///< "weight", or empty

  /// Lists and tuples of whole numbers by dotted name ("config"); also a safetensors metadata text that is a
  /// JSON list of whole numbers.
  std::map<std::string, std::vector<std::int64_t>> lists;

  /// Other values by dotted name: a text as it is, bytes and whole numbers beyond 64 bits in hexadecimal,
  /// anything else as JSON ("3", "0.5", "true", "null", ["a", 1]).
  std::map<std::string, std::string> metadata;
};

/// Reads the file and tells the format from its content. Error of kind io if the file cannot be read; of kind
/// input if it is damaged, hostile, or of another kind (ONNX, TorchScript, Keras, ...), in which case the
/// message says so.
Checkpoint read_checkpoint(const std::filesystem::path& path);

/// The same from memory; `name` stands for the path in messages.
Checkpoint parse_checkpoint(std::span<const std::byte> bytes, const std::string& name);

/// Error of kind input naming the tensor and the index of the first NaN or infinity in a float tensor.
void check_finite(const StateDict& tensors, std::string_view where);

/// "safetensors", "PyTorch (zip)", "PyTorch (legacy)".
std::string_view name_of(CheckpointFormat format);

}  // namespace compress
