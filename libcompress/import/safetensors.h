// The safetensors format: an 8-byte length, a JSON header, and the bytes of the tensors.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "libcompress/graph/tensor.h"

namespace compress {

/// What a safetensors file holds.
struct StateFile {
  StateDict tensors;
  std::map<std::string, std::string> metadata;  ///< the header's "__metadata__"
};

struct SafetensorsOptions {
  bool float16 = false;  ///< store float32 tensors as float16, rounded to nearest even
};

/// Strict: dtypes we know (F32, F16, BF16, F64, I8, U8, I16, I32, I64, BOOL; BF16 is widened to float32,
/// which is exact), shapes that fit their byte ranges, ranges that cover the data without gap or overlap, no
/// key twice, a header of at most 64 MiB and 100,000 tensors. Else Error of kind input, or io if the file
/// cannot be read.
StateFile read_safetensors(const std::filesystem::path& path);

/// The same from memory; `name` stands for the path in messages.
StateFile parse_safetensors(std::span<const std::byte> bytes, const std::string& name);

/// Writes the file whole or not at all. The same content always gives the same bytes: the header lists the
/// names in order; the data lies in the order of falling element size, then name, so that every tensor is
/// aligned to its elements; the header is padded with spaces to a multiple of 8 bytes. Error of kind io if
/// the file cannot be written, of kind input for a name or text that is not UTF-8, or a value beyond +-65504
/// that float16 cannot hold.
void write_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                       const std::map<std::string, std::string>& metadata = {},
                       const SafetensorsOptions& options = {});

/// The bytes that write_safetensors writes.
std::string format_safetensors(const StateDict& tensors,
                               const std::map<std::string, std::string>& metadata = {},
                               const SafetensorsOptions& options = {});

/// Whether `bytes` begin like a safetensors file.
bool is_safetensors(std::span<const std::byte> bytes);

}  // namespace compress
