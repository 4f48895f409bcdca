#include "libcompress/graph/tensor.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <new>
#include <numeric>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace compress {
namespace {

template <typename T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<float>() {
  return DType::float32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::float64;
}
template <>
constexpr DType dtype_of<std::int8_t>() {
  return DType::int8;
}
template <>
constexpr DType dtype_of<std::uint8_t>() {
  return DType::uint8;
}
template <>
constexpr DType dtype_of<std::int16_t>() {
  return DType::int16;
}
template <>
constexpr DType dtype_of<std::int32_t>() {
  return DType::int32;
}
template <>
constexpr DType dtype_of<std::int64_t>() {
  return DType::int64;
}

constexpr std::align_val_t kAlignment{64};

constexpr std::align_val_t kLargePage{std::size_t{2} << 20};

/// Asks for large pages where whole ones fit: with small ones a network's weights take tens of thousands of
/// page faults to fill and as many entries of the address cache to read. No memory is lost to it.
void prefer_large_pages(std::byte* memory, std::size_t byte_count) {
#ifdef __linux__
  const auto page = static_cast<std::size_t>(kLargePage);
  madvise(memory, byte_count / page * page, MADV_HUGEPAGE);  // a hint: without it all works the same
#else
  static_cast<void>(memory);
  static_cast<void>(byte_count);
#endif
}

std::shared_ptr<std::byte[]> allocate(std::size_t byte_count) {
  const auto alignment = byte_count < static_cast<std::size_t>(kLargePage) ? kAlignment : kLargePage;
  auto* memory = static_cast<std::byte*>(::operator new[](std::max<std::size_t>(byte_count, 1), alignment));
  if (alignment == kLargePage) prefer_large_pages(memory, byte_count);
  return {memory, [alignment](std::byte* p) { ::operator delete[](p, alignment); }};
}

float widen_half(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1fu;
  const std::uint32_t fraction = half & 0x3ffu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (fraction << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
  const float magnitude = static_cast<float>(fraction) * 0x1.0p-24f;  // zero and subnormals
  return sign ? -magnitude : magnitude;
}

template <typename T>
void convert(const Tensor& from, std::span<float> to) {
  const auto source = from.as<T>();
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<float>(source[i]);
}

}  // namespace

std::int64_t element_count(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::float64:
    case DType::int64:
      return 8;
    case DType::float32:
    case DType::int32:
      return 4;
    case DType::float16:
    case DType::int16:
      return 2;
    case DType::int8:
    case DType::uint8:
    case DType::boolean:
      return 1;
  }
  return 1;
}

std::string_view name_of(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return "float32";
    case DType::float16:
      return "float16";
    case DType::float64:
      return "float64";
    case DType::int8:
      return "int8";
    case DType::uint8:
      return "uint8";
    case DType::int16:
      return "int16";
    case DType::int32:
      return "int32";
    case DType::int64:
      return "int64";
    case DType::boolean:
      return "bool";
  }
  return "unknown";
}

Tensor::Tensor(DType dtype, Shape shape) : Tensor(dtype, std::move(shape), Unset{}) {
  std::memset(bytes_.get(), 0, byte_count());
}

Tensor::Tensor(DType dtype, Shape shape, Unset)
    : dtype_(dtype), shape_(std::move(shape)), bytes_(allocate(byte_count())) {}

Tensor::Tensor(DType dtype, Shape shape, std::shared_ptr<std::byte[]> bytes)
    : dtype_(dtype), shape_(std::move(shape)), bytes_(std::move(bytes)) {}

Tensor Tensor::of(Shape shape, std::span<const float> values) {
  Tensor tensor(DType::float32, std::move(shape));
  assert(values.size() == static_cast<std::size_t>(tensor.count()));
  std::ranges::copy(values, tensor.as<float>().begin());  // there may be none, and then no address either
  return tensor;
}

std::span<std::byte> Tensor::bytes() { return {bytes_.get(), bytes_ ? byte_count() : 0}; }
std::span<const std::byte> Tensor::bytes() const { return {bytes_.get(), bytes_ ? byte_count() : 0}; }

template <typename T>
std::span<T> Tensor::as() {
  assert(dtype_ == dtype_of<T>());
  return {reinterpret_cast<T*>(bytes_.get()), bytes_ ? static_cast<std::size_t>(count()) : 0};
}

template <typename T>
std::span<const T> Tensor::as() const {
  assert(dtype_ == dtype_of<T>());
  return {reinterpret_cast<const T*>(bytes_.get()), bytes_ ? static_cast<std::size_t>(count()) : 0};
}

#define COMPRESS_TENSOR_AS(T)            \
  template std::span<T> Tensor::as<T>(); \
  template std::span<const T> Tensor::as<T>() const;
COMPRESS_TENSOR_AS(float)
COMPRESS_TENSOR_AS(double)
COMPRESS_TENSOR_AS(std::int8_t)
COMPRESS_TENSOR_AS(std::uint8_t)
COMPRESS_TENSOR_AS(std::int16_t)
COMPRESS_TENSOR_AS(std::int32_t)
COMPRESS_TENSOR_AS(std::int64_t)
#undef COMPRESS_TENSOR_AS

Tensor Tensor::clone() const {
  if (empty()) return {};
  Tensor copy(dtype_, shape_, Unset{});
  std::memcpy(copy.bytes_.get(), bytes_.get(), byte_count());
  return copy;
}

Tensor Tensor::select(std::size_t axis, std::span<const std::int64_t> kept) const {
  assert(axis < shape_.size());
  std::vector<std::vector<std::int64_t>> all(shape_.size());
  all[axis].assign(kept.begin(), kept.end());
  return select(all);
}

namespace {

/// Copies boxes: `from` and `to` stand at an element, `axis` is the outermost axis that is left.
class BoxCopy {
 public:
  BoxCopy(const Shape& shape, std::span<const std::vector<std::int64_t>> kept, std::size_t element)
      : shape_(shape), kept_(kept), run_(shape.size()), strides_(shape.size(), element) {
    for (std::size_t i = shape.size(); i-- > 1;)
      strides_[i - 1] = strides_[i] * static_cast<std::size_t>(shape[i]);
    while (run_ > 0 && kept_[run_ - 1].empty()) --run_;  // behind the last cut axis all lies in one piece
    run_bytes_ = run_ == 0 ? 0 : strides_[run_ - 1];
  }

  std::byte* copy(const std::byte* from, std::byte* to, std::size_t axis = 0) const {
    if (axis + 1 == run_) return copy_runs(from, to, kept_[axis]);
    const auto each = [&](std::int64_t index) {
      to = copy(from + static_cast<std::size_t>(index) * strides_[axis], to, axis + 1);
    };
    if (kept_[axis].empty()) {
      for (std::int64_t i = 0; i < shape_[axis]; ++i) each(i);
    } else {
      for (const auto i : kept_[axis]) each(i);
    }
    return to;
  }
  bool whole() const { return run_ == 0; }

 private:
  /// Runs of a size that is known when this is compiled; a copy by size would be a call for each.
  template <std::size_t kBytes>
  static std::byte* copy_short(const std::byte* from, std::byte* to, const std::vector<std::int64_t>& kept) {
    for (const auto i : kept) {
      std::memcpy(to, from + static_cast<std::size_t>(i) * kBytes, kBytes);
      to += kBytes;
    }
    return to;
  }

  std::byte* copy_runs(const std::byte* from, std::byte* to, const std::vector<std::int64_t>& kept) const {
    switch (run_bytes_) {  // of the usual windows: 1, 3, 5, 3 x 3, 5 x 5
      case 4:
        return copy_short<4>(from, to, kept);
      case 12:
        return copy_short<12>(from, to, kept);
      case 20:
        return copy_short<20>(from, to, kept);
      case 36:
        return copy_short<36>(from, to, kept);
      case 100:
        return copy_short<100>(from, to, kept);
      default:
        break;
    }
    for (const auto i : kept) {
      std::memcpy(to, from + static_cast<std::size_t>(i) * run_bytes_, run_bytes_);
      to += run_bytes_;
    }
    return to;
  }

  const Shape& shape_;
  std::span<const std::vector<std::int64_t>> kept_;
  std::size_t run_;  ///< one behind the last axis that is cut
  std::size_t run_bytes_ = 0;
  std::vector<std::size_t> strides_;
};

}  // namespace

Tensor Tensor::select(std::span<const std::vector<std::int64_t>> kept, TensorBlock* block) const {
  assert(kept.size() == shape_.size());
  Shape smaller = shape_;
  for (std::size_t axis = 0; axis < shape_.size(); ++axis) {
    if (!kept[axis].empty()) smaller[axis] = static_cast<std::int64_t>(kept[axis].size());
    assert(std::all_of(kept[axis].begin(), kept[axis].end(),
                       [&](std::int64_t i) { return i >= 0 && i < shape_[axis]; }));
  }
  const BoxCopy box(shape_, kept, size_of(dtype_));
  if (box.whole()) return clone();
  const auto bytes = static_cast<std::size_t>(element_count(smaller)) * size_of(dtype_);
  Tensor result(dtype_, std::move(smaller), block ? block->take(bytes) : allocate(bytes));
  box.copy(bytes_.get(), result.bytes_.get());
  return result;
}

TensorBlock::TensorBlock(std::size_t byte_count) : block_(allocate(byte_count)), left_(byte_count) {}

std::size_t TensorBlock::share(std::size_t byte_count) {
  const auto alignment = static_cast<std::size_t>(kAlignment);
  return (byte_count + alignment - 1) / alignment * alignment;
}

std::shared_ptr<std::byte[]> TensorBlock::take(std::size_t byte_count) {
  const auto size = share(byte_count);
  assert(size <= left_);
  const std::shared_ptr<std::byte[]> piece = block_;
  block_ = {piece, piece.get() + size};
  left_ -= size;
  return piece;
}

Tensor Tensor::to_float32() const {
  if (dtype_ == DType::float32) return *this;
  Tensor result(DType::float32, shape_, Unset{});
  const auto to = result.as<float>();
  switch (dtype_) {
    case DType::float32:
      break;
    case DType::float16: {
      const auto* halves = reinterpret_cast<const std::uint16_t*>(bytes_.get());
      for (std::size_t i = 0; i < to.size(); ++i) to[i] = widen_half(halves[i]);
      break;
    }
    case DType::float64:
      convert<double>(*this, to);
      break;
    case DType::int8:
      convert<std::int8_t>(*this, to);
      break;
    case DType::uint8:
      convert<std::uint8_t>(*this, to);
      break;
    case DType::int16:
      convert<std::int16_t>(*this, to);
      break;
    case DType::int32:
      convert<std::int32_t>(*this, to);
      break;
    case DType::int64:
      convert<std::int64_t>(*this, to);
      break;
    case DType::boolean:
      for (std::size_t i = 0; i < to.size(); ++i)
        to[i] = static_cast<float>(std::to_integer<int>(bytes_[i]) != 0);
      break;
  }
  return result;
}

}  // namespace compress
