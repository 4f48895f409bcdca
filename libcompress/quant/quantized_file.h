// An 8-bit network in one safetensors file: constants as tensors, everything else as JSON in the metadata.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "libcompress/quant/quantized_graph.h"

namespace compress {

// Metadata: "format" is "libcompress.quantized", "version" "1", "graph" the JSON
//   {"name", "profile", "inputs": [value], "outputs": [value],
//    "values": [{"name", "dtype", "shape", "scale", "zero_point", "channel_scales"?, "constant"}],
//    "nodes": [{"name", "op", "inputs": [value], "output": value, settings of the op}]}
// where a value is its position in "values". Requantizations are [multiplier, shift] pairs. A constant's
// tensor has the value's name. Scales are float32 written with as many digits as give them back exactly.

/// Writes the file whole or not at all. Verifies first (Error of kind input), io errors as
/// write_safetensors().
void save_quantized(const std::filesystem::path& path, const QuantizedGraph& graph);

/// Reads such a file, or an int8 TensorFlow Lite file as read_quantized_tflite() does in the profile
/// `litert`. Trusts nothing: an unknown or missing field, a wrong type, a size that does not fit, a graph
/// that does not verify() is an Error of kind input naming the file and the field; io if it cannot be read.
QuantizedGraph load_quantized(const std::filesystem::path& path, const std::string& profile = "litert");

/// Whether the file holds what load_quantized() reads, and not a float network or something else. io if it
/// cannot be read.
bool is_quantized_file(const std::filesystem::path& path);

/// The same in memory, of this format only; `name` stands for the path in messages.
std::string format_quantized(const QuantizedGraph& graph);
QuantizedGraph parse_quantized(std::span<const std::byte> bytes, const std::string& name);

}  // namespace compress
