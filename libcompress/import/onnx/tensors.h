// Stored tensors of an ONNX file made into tensors of ours.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "libcompress/graph/tensor.h"
#include "libcompress/import/onnx/proto.h"

namespace compress::onnx {

/// Decodes tensors of one file. What comes out has one of three dtypes: float32 for every float type, int64
/// for every integer type, boolean.
class TensorReader {
 public:
  /// External data is looked for in `folder` only.
  TensorReader(std::string file, std::filesystem::path folder);

  /// Error of kind input if the type is another, the data does not have the size that the dims ask for, lies
  /// outside the folder, or is claimed more often than the folder's files hold bytes; of kind io if a file
  /// cannot be read. Nothing is allocated before its size was checked against data that is there.
  Tensor read(const TensorRecord& record, const std::string& where);

 private:
  Tensor read_external(const TensorRecord& record, std::int64_t count, const std::string& where);

  std::string file_;
  std::filesystem::path folder_;
  std::set<std::string> external_files_;
  std::uint64_t external_budget_ = 0;
};

/// The same for a tensor without external data.
Tensor decode(const TensorRecord& record, const std::string& where);

}  // namespace compress::onnx
