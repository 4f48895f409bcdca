// Plain typed blobs: the weights of a model, without LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace compress {

/// Extents, outermost first. Empty for a scalar.
using Shape = std::vector<std::int64_t>;

/// Product of the extents. Asserts they are not negative; sizes from outside go through checked_product
/// first.
std::int64_t element_count(const Shape& shape);

/// "[8, 1, 1, 9]".
std::string to_string(const Shape& shape);

enum class DType { float32, float16, float64, int8, uint8, int16, int32, int64, boolean };

std::size_t size_of(DType dtype);
std::string_view name_of(DType dtype);  ///< "float32"

class TensorBlock;

/// A dense row-major array. Copies share the bytes (like LibTorch's tensors); clone() copies them.
class Tensor {
 public:
  Tensor() = default;
  /// Zero-filled, 64-byte aligned.
  Tensor(DType dtype, Shape shape);
  static Tensor of(Shape shape, std::span<const float> values);

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::int64_t count() const { return element_count(shape_); }
  std::size_t byte_count() const { return static_cast<std::size_t>(count()) * size_of(dtype_); }
  bool empty() const { return !bytes_; }

  std::span<std::byte> bytes();
  std::span<const std::byte> bytes() const;

  /// The elements; asserts that dtype() is that of T (float, double, int8_t, uint8_t, int16_t, int32_t,
  /// int64_t).
  template <typename T>
  std::span<T> as();
  template <typename T>
  std::span<const T> as() const;

  Tensor clone() const;

  /// Keeps the indices `kept` (ascending, in range) of axis `axis`. Copies.
  Tensor select(std::size_t axis, std::span<const std::int64_t> kept) const;

  /// The same along several axes in one copy: `kept` by axis, an empty list keeps all. One list an axis. The
  /// copy lies in `block` where one is given.
  Tensor select(std::span<const std::vector<std::int64_t>> kept, TensorBlock* block = nullptr) const;

  /// As float32: widens float16, narrows float64, converts integers. Copies unless it is float32 already.
  Tensor to_float32() const;

  /// Shares ownership of the bytes, for views that must outlive this object.
  std::shared_ptr<std::byte[]> storage() const { return bytes_; }

 private:
  struct Unset {};
  Tensor(DType dtype, Shape shape, Unset);  ///< elements as they happen to be
  Tensor(DType dtype, Shape shape, std::shared_ptr<std::byte[]> bytes);

  DType dtype_ = DType::float32;
  Shape shape_;
  std::shared_ptr<std::byte[]> bytes_;
};

/// Memory of many tensors in one piece, which goes back when the last of them does: a network's weights as a
/// whole take a few large pages where the system has them, and hundreds of thousands of page faults less.
class TensorBlock {
 public:
  explicit TensorBlock(std::size_t byte_count);

  /// What a tensor of so many bytes takes of a block.
  static std::size_t share(std::size_t byte_count);

  /// The next piece of the block; the caller takes no more than the block has.
  std::shared_ptr<std::byte[]> take(std::size_t byte_count);

 private:
  std::shared_ptr<std::byte[]> block_;  ///< at the first byte that is left
  std::size_t left_;
};

/// Weights by parameter name ("conv1.weight").
using StateDict = std::map<std::string, Tensor, std::less<>>;

}  // namespace compress
