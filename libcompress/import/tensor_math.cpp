#include "libcompress/import/tensor_math.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <utility>

namespace compress::tensor_math {
namespace {

/// Calls `visit` with the element offset for each index of `shape`, in row-major order.
template <typename Visit>
void walk(const Shape& shape, const Integers& strides, std::int64_t offset, Visit visit) {
  const auto count = element_count(shape);
  Integers index(shape.size(), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    visit(static_cast<std::size_t>(i), static_cast<std::size_t>(offset));
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++index[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

/// Strides that read `from` as if it had shape `to`.
Integers broadcast_strides(const Shape& from, const Shape& to) {
  assert(to.size() >= from.size());
  const auto dense = strides_of(from);
  Integers strides(to.size(), 0);
  const auto shift = to.size() - from.size();
  for (std::size_t i = 0; i < from.size(); ++i) strides[shift + i] = from[i] == 1 ? 0 : dense[i];
  return strides;
}

template <typename T, typename Function>
Tensor combine(const Tensor& a, const Tensor& b, const Function& function) {
  const auto shape = broadcast(a.shape(), b.shape());
  assert(shape);
  const auto left = expanded(a, *shape), right = expanded(b, *shape);
  Tensor result(a.dtype(), *shape);
  const auto x = left.as<T>(), y = right.as<T>();
  const auto to = result.as<T>();
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = function(x[i], y[i]);
  return result;
}

std::int64_t cut(double value) {
  if (std::isnan(value)) return 0;
  if (value >= 0x1p63f) return INT64_MAX;
  if (value <= -0x1p63f) return INT64_MIN;
  return static_cast<std::int64_t>(value);
}

}  // namespace

Tensor of_integers(Shape shape, std::span<const std::int64_t> values) {
  Tensor tensor(DType::int64, std::move(shape));
  assert(values.size() == static_cast<std::size_t>(tensor.count()));
  std::copy(values.begin(), values.end(), tensor.as<std::int64_t>().begin());
  return tensor;
}

Tensor scalar(float value) { return full({}, value); }

Tensor full(Shape shape, float value) {
  Tensor tensor(DType::float32, std::move(shape));
  std::fill(tensor.as<float>().begin(), tensor.as<float>().end(), value);
  return tensor;
}

Integers to_integers(const Tensor& tensor) {
  const auto integers = convert(tensor, DType::int64);
  const auto values = std::as_const(integers).as<std::int64_t>();
  return {values.begin(), values.end()};
}

Tensor convert(const Tensor& tensor, DType dtype) {
  if (tensor.dtype() == dtype) return tensor;
  if (dtype == DType::float32) return tensor.to_float32();
  Tensor result(dtype, tensor.shape());
  const auto count = static_cast<std::size_t>(tensor.count());
  for (std::size_t i = 0; i < count; ++i) {
    if (dtype == DType::boolean) {
      const bool is_set =
          tensor.dtype() == DType::float32 ? tensor.as<float>()[i] != 0 : tensor.as<std::int64_t>()[i] != 0;
      result.bytes()[i] = std::byte{is_set};
    } else {
      result.as<std::int64_t>()[i] = tensor.dtype() == DType::float32
                                         ? cut(tensor.as<float>()[i])
                                         : std::to_integer<std::int64_t>(tensor.bytes()[i]);
    }
  }
  return result;
}

Integers strides_of(const Shape& shape) {
  Integers strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  const auto& longer = a.size() >= b.size() ? a : b;
  const auto& shorter = a.size() >= b.size() ? b : a;
  Shape result = longer;
  const auto shift = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    auto& extent = result[shift + i];
    if (shorter[i] == 1 || shorter[i] == extent) continue;
    if (extent != 1) return std::nullopt;
    extent = shorter[i];
  }
  return result;
}

Tensor strided(const Tensor& tensor, Shape shape, const Integers& strides, std::int64_t offset) {
  Tensor result(tensor.dtype(), std::move(shape));
  const auto width = size_of(tensor.dtype());
  const auto* from = tensor.bytes().data();
  auto* to = result.bytes().data();
  walk(result.shape(), strides, offset,
       [&](std::size_t i, std::size_t at) { std::memcpy(to + i * width, from + at * width, width); });
  return result;
}

Tensor reshaped(const Tensor& tensor, Shape shape) {
  Tensor result(tensor.dtype(), std::move(shape));
  assert(result.byte_count() == tensor.byte_count());
  if (tensor.byte_count() > 0) std::memcpy(result.bytes().data(), tensor.bytes().data(), tensor.byte_count());
  return result;
}

Tensor permuted(const Tensor& tensor, const Integers& order) {
  const auto dense = strides_of(tensor.shape());
  Shape shape;
  Integers strides;
  for (const auto axis : order) {
    shape.push_back(tensor.shape()[static_cast<std::size_t>(axis)]);
    strides.push_back(dense[static_cast<std::size_t>(axis)]);
  }
  return strided(tensor, std::move(shape), strides);
}

Tensor expanded(const Tensor& tensor, const Shape& shape) {
  if (tensor.shape() == shape) return tensor;
  return strided(tensor, shape, broadcast_strides(tensor.shape(), shape));
}

Tensor gathered(const Tensor& tensor, std::size_t axis, const Tensor& indices) {
  const auto& from = tensor.shape();
  Shape shape(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.end(), indices.shape().begin(), indices.shape().end());
  shape.insert(shape.end(), from.begin() + static_cast<std::ptrdiff_t>(axis) + 1, from.end());
  Tensor result(tensor.dtype(), std::move(shape));
  std::size_t outer = 1, inner = size_of(tensor.dtype());
  for (std::size_t i = 0; i < axis; ++i) outer *= static_cast<std::size_t>(from[i]);
  for (std::size_t i = axis + 1; i < from.size(); ++i) inner *= static_cast<std::size_t>(from[i]);
  if (inner == 0) return result;
  auto* to = result.bytes().data();
  const auto extent = static_cast<std::size_t>(from[axis]);
  for (std::size_t o = 0; o < outer; ++o) {
    for (const auto index : indices.as<std::int64_t>()) {
      assert(index >= 0 && static_cast<std::size_t>(index) < extent);
      std::memcpy(to, tensor.bytes().data() + (o * extent + static_cast<std::size_t>(index)) * inner, inner);
      to += inner;
    }
  }
  return result;
}

Tensor joined(const std::vector<Tensor>& tensors, std::size_t axis) {
  Shape shape = tensors.front().shape();
  shape[axis] = 0;
  for (const auto& tensor : tensors) shape[axis] += tensor.shape()[axis];
  Tensor result(tensors.front().dtype(), shape);
  std::size_t outer = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= static_cast<std::size_t>(shape[i]);
  auto* to = result.bytes().data();
  for (std::size_t o = 0; o < outer; ++o) {
    for (const auto& tensor : tensors) {
      const auto length = tensor.byte_count() / outer;
      if (length > 0) std::memcpy(to, tensor.bytes().data() + o * length, length);
      to += length;
    }
  }
  return result;
}

Tensor map_floats(const Tensor& tensor, const std::function<float(float)>& function) {
  Tensor result(DType::float32, tensor.shape());
  const auto from = tensor.as<float>();
  std::transform(from.begin(), from.end(), result.as<float>().begin(), function);
  return result;
}

Tensor map_integers(const Tensor& tensor, const std::function<std::int64_t(std::int64_t)>& function) {
  Tensor result(DType::int64, tensor.shape());
  const auto from = tensor.as<std::int64_t>();
  std::transform(from.begin(), from.end(), result.as<std::int64_t>().begin(), function);
  return result;
}

Tensor combine_floats(const Tensor& a, const Tensor& b, const std::function<float(float, float)>& function) {
  return combine<float>(a, b, function);
}

Tensor combine_integers(const Tensor& a, const Tensor& b,
                        const std::function<std::int64_t(std::int64_t, std::int64_t)>& function) {
  return combine<std::int64_t>(a, b, function);
}

Tensor reduce(const Tensor& tensor, const std::vector<bool>& axes, double start,
              const std::function<double(double, double)>& function) {
  Shape shape = tensor.shape();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (axes[i]) shape[i] = 1;
  }
  const bool is_float = tensor.dtype() == DType::float32;
  const auto element = [&](std::size_t i) {
    return is_float ? static_cast<double>(tensor.as<float>()[i])
                    : static_cast<double>(tensor.as<std::int64_t>()[i]);
  };
  std::vector<double> folded(static_cast<std::size_t>(element_count(shape)), start);
  walk(tensor.shape(), broadcast_strides(shape, tensor.shape()), 0,
       [&](std::size_t i, std::size_t at) { folded[at] = function(folded[at], element(i)); });
  Tensor result(tensor.dtype(), shape);
  for (std::size_t i = 0; i < folded.size(); ++i) {
    if (is_float) {
      result.as<float>()[i] = static_cast<float>(folded[i]);
    } else {
      result.as<std::int64_t>()[i] = cut(folded[i]);
    }
  }
  return result;
}

}  // namespace compress::tensor_math
