// Files made byte by byte, for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libcompress/base/error.h"

namespace compress {

/// The bytes of `text`; borrows it.
std::span<const std::byte> bytes_of(std::string_view text);

/// `value` as `width` little-endian bytes.
std::string number(std::uint64_t value, std::size_t width);

/// A zip archive of stored entries as torch.save writes it, without zip64.
std::string make_zip(const std::vector<std::pair<std::string, std::string>>& entries);

/// A PyTorch zip file with this pickle program and these storages.
std::string make_torch_zip(const std::string& program,
                           const std::vector<std::pair<std::string, std::string>>& storages = {});

/// A PyTorch file of the older kind; `tail` is everything behind the object's pickle.
std::string make_torch_legacy(const std::string& program, const std::string& tail);

/// Pieces of pickle programs.
std::string pickle_text(std::string_view text);
std::string pickle_global(std::string_view module, std::string_view name);
std::string pickle_integer(std::int64_t value);

/// A tensor call: a storage of type `type` under key "0" and this window on it.
struct TensorWords {
  std::string type = "FloatStorage";
  std::int64_t count = 1;
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape{1};
  std::vector<std::int64_t> strides{1};
};
std::string pickle_tensor(const TensorWords& words);

/// The program of {"a": tensor}.
std::string one_tensor(const TensorWords& words);

/// The error that `act` throws. Fails the test if it throws none.
Error error_of(const auto& act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorKind::usage, "nothing was thrown");
}

/// A committed file of fixtures/, and its path.
std::string fixture(std::string_view name);
std::string fixture_path(std::string_view name);

}  // namespace compress
