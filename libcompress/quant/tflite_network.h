// 8-bit TensorFlow Lite files as 8-bit networks. Nothing of a file is executed.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "libcompress/quant/quantized_graph.h"

namespace compress {

/// Reads a file whose activations are INT8 with one scale each: the network computes to the bit what
/// LiteRT's reference kernels (profile `litert`) or TensorFlow Lite Micro's (`tflite-micro`) compute. A
/// QUANTIZE of a float input and a DEQUANTIZE before an output are left out: the network begins and ends with
/// the integers. Values are called like the tensors, constants NODE.weight and NODE.bias. The result is
/// verified. Error of kind io if the file cannot be read; of kind input if it is damaged or hostile, if a
/// tensor has no scale, a wrong one or another type, or if an operator is not supported: tensor or operator,
/// and what is.
QuantizedGraph read_quantized_tflite(const std::filesystem::path& path,
                                     const std::string& profile = "litert");

/// The same from memory: `name` stands for the path in messages.
QuantizedGraph parse_quantized_tflite(std::span<const std::byte> bytes, const std::string& name,
                                      const std::string& profile = "litert");

/// Whether `bytes` are a TensorFlow Lite file of which an activation is quantized. Error as above if it is
/// damaged.
bool is_quantized_tflite(std::span<const std::byte> bytes, const std::string& name);

}  // namespace compress
