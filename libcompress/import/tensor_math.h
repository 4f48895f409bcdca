// Arithmetic on small constant tensors: what folding needs, without LibTorch.
//
// Everything makes a new tensor. Callers have checked shapes, axes and sizes; that is asserted.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "libcompress/graph/tensor.h"

namespace compress::tensor_math {

using Integers = std::vector<std::int64_t>;

Tensor of_integers(Shape shape, std::span<const std::int64_t> values);
Tensor scalar(float value);
/// Filled with `value`.
Tensor full(Shape shape, float value);

/// The elements as 64-bit integers; of an int64 or boolean tensor.
Integers to_integers(const Tensor& tensor);
/// The same elements as another of float32, int64 and boolean. Floats are cut towards zero, and held at the
/// ends of the 64 bits.
Tensor convert(const Tensor& tensor, DType dtype);

/// Strides in elements of a dense tensor.
Integers strides_of(const Shape& shape);
/// Numpy's broadcasting; nothing if the shapes do not fit.
std::optional<Shape> broadcast(const Shape& a, const Shape& b);

/// Element (i, j, ...) is that of `tensor` at offset + i * strides[0] + j * strides[1] + ...
Tensor strided(const Tensor& tensor, Shape shape, const Integers& strides, std::int64_t offset = 0);
Tensor reshaped(const Tensor& tensor, Shape shape);
Tensor permuted(const Tensor& tensor, const Integers& order);
Tensor expanded(const Tensor& tensor, const Shape& shape);
Tensor gathered(const Tensor& tensor, std::size_t axis, const Tensor& indices);  ///< indices int64, >= 0
Tensor joined(const std::vector<Tensor>& tensors, std::size_t axis);

Tensor map_floats(const Tensor& tensor, const std::function<float(float)>& function);
Tensor map_integers(const Tensor& tensor, const std::function<std::int64_t(std::int64_t)>& function);
/// Of two tensors of one dtype, broadcast.
Tensor combine_floats(const Tensor& a, const Tensor& b, const std::function<float(float, float)>& function);
Tensor combine_integers(const Tensor& a, const Tensor& b,
                        const std::function<std::int64_t(std::int64_t, std::int64_t)>& function);

/// Folds the axes of a float32 or int64 tensor with `function`, starting at `start`, in double. They stay
/// with extent 1.
Tensor reduce(const Tensor& tensor, const std::vector<bool>& axes, double start,
              const std::function<double(double, double)>& function);

}  // namespace compress::tensor_math
