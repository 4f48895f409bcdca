// Arrays that NumPy saved: .npy (its format versions 1 to 3) and .npz, a zip archive of them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "libcompress/graph/tensor.h"

namespace compress {

/// Little-endian booleans, integers up to 64 bits (unsigned up to 8) and floats, row-major; nothing is
/// executed. `name` opens every message. Error of kind input for anything else, with what NumPy should be
/// asked for.
Tensor parse_npy(std::span<const std::byte> bytes, const std::string& name);

/// The arrays of an .npz that np.savez wrote (not compressed), by name; or the one of an .npy, named "".
StateDict parse_arrays(std::span<const std::byte> bytes, const std::string& name);

/// The same of a file, told apart by its content. Error of kind io if it cannot be read.
StateDict read_arrays(const std::filesystem::path& path);

/// Those of one shape behind axis 0, one after the other along it, as float32 [count, ...]. Error of kind
/// input naming the file and the array otherwise, or if there is none.
Tensor read_examples(const std::filesystem::path& path);

}  // namespace compress
