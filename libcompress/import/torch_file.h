// What torch.save wrote: the object tree of the pickle and the storages that its tensors look into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "libcompress/graph/tensor.h"
#include "libcompress/import/pickle.h"

namespace compress {

/// The element type of a storage. bfloat16 is none of ours; such tensors are widened to float32, which is
/// exact.
struct StorageType {
  DType dtype = DType::float32;
  bool bfloat16 = false;
};

/// A flat array of the file, which any number of tensors share.
struct TorchStorage {
  StorageType type;
  std::int64_t count = 0;  ///< elements
  std::span<const std::byte> bytes{};
};

/// A PyTorch file in memory. Borrows the bytes it was parsed from.
class TorchFile {
 public:
  /// The zip container of PyTorch 1.6 and later. Error of kind input; TorchScript archives are refused.
  static TorchFile parse_zip(std::span<const std::byte> bytes, const std::string& name);

  /// The older stream: magic number, protocol version, system information, the object, the keys of the
  /// storages (five pickles), then the storages, each led by its element count. Trailing bytes are an Error
  /// of kind input.
  static TorchFile parse_legacy(std::span<const std::byte> bytes, const std::string& name);

  const Pickle& pickle() const { return pickle_; }
  const std::string& name() const { return name_; }

  /// Makes the tensor that the call `id` describes: row-major and with bytes of its own, whatever its strides
  /// were. `budget_bytes` is reduced by its size; Error of kind input, before anything is allocated, if it
  /// does not suffice. `what` names the tensor in messages.
  Tensor tensor(PickleId id, std::string_view what, std::int64_t& budget_bytes) const;

 private:
  using Storages = std::map<std::string, TorchStorage, std::less<>>;

  TorchFile(std::string name, Pickle pickle);
  void declare_storages();

  std::string name_;
  Pickle pickle_;
  Storages storages_;
};

}  // namespace compress
