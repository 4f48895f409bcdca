#include "libcompress/import/tflite/constants.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "libcompress/base/checked.h"
#include "libcompress/base/error.h"
#include "libcompress/import/tensor_math.h"
#include "libcompress/import/tflite/operators.h"

namespace compress::tflite {
namespace {

[[noreturn]] void fail(const std::string& where, const std::string& found, const std::string& allowed) {
  throw Error(ErrorKind::input, {where, found, allowed, ""});
}

/// The type of ours with the same bytes.
DType stored_type(ElementType type, const std::string& where) {
  switch (type) {
    case ElementType::float32:
      return DType::float32;
    case ElementType::float16:
      return DType::float16;
    case ElementType::float64:
      return DType::float64;
    case ElementType::int8:
      return DType::int8;
    case ElementType::uint8:
      return DType::uint8;
    case ElementType::int16:
      return DType::int16;
    case ElementType::int32:
      return DType::int32;
    case ElementType::int64:
      return DType::int64;
    case ElementType::boolean:
      return DType::boolean;
  }
  fail(where, fmt::format("elements of {}", name_of(type)),
       "FLOAT32, FLOAT16, FLOAT64, INT8, UINT8, INT16, INT32, INT64, BOOL");
}

template <typename T>
Tensor as_int64(const Tensor& tensor) {
  const auto from = tensor.as<T>();
  const Integers wide(from.begin(), from.end());
  return tensor_math::of_integers(tensor.shape(), wide);
}

Tensor widened(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::int8:
      return as_int64<std::int8_t>(tensor);
    case DType::uint8:
      return as_int64<std::uint8_t>(tensor);
    case DType::int16:
      return as_int64<std::int16_t>(tensor);
    case DType::int32:
      return as_int64<std::int32_t>(tensor);
    case DType::int64:
    case DType::boolean:
      return tensor;
    default:
      return tensor.to_float32();
  }
}

/// scale * (stored - zero point), one pair or one an index of the quantization's axis.
Tensor dequantized(const Tensor& stored, const Quantization& quantization, const std::string& where) {
  const auto pairs = static_cast<std::int64_t>(quantization.scales.size());
  const auto& shape = stored.shape();
  const auto axis = pairs == 1 ? 0 : quantization.axis;
  const bool fits = pairs == 1 || (axis >= 0 && axis < static_cast<std::int64_t>(shape.size()) &&
                                   shape[static_cast<std::size_t>(axis)] == pairs);
  if (!fits)
    fail(where, fmt::format("{} scales along axis {} of {}", pairs, axis, to_string(shape)),
         "one, or one an index");
  std::int64_t inner = 1;
  for (auto i = static_cast<std::size_t>(axis) + 1; i < shape.size(); ++i) inner *= shape[i];
  Tensor result(DType::float32, shape);
  const auto from = stored.as<std::int64_t>();
  const auto to = result.as<float>();
  for (std::size_t i = 0; i < to.size(); ++i) {
    const auto pair = pairs == 1 ? 0 : static_cast<std::size_t>(static_cast<std::int64_t>(i) / inner % pairs);
    const auto zero = quantization.zero_points.empty() ? 0 : quantization.zero_points[pair];
    to[i] = static_cast<float>(static_cast<double>(quantization.scales[pair]) *
                               (static_cast<double>(from[i]) - static_cast<double>(zero)));
  }
  return result;
}

}  // namespace

bool stands_for_floats(const TensorRecord& record) {
  return is_float(record.type) || (is_quantized(record.type) && !record.quantization.scales.empty());
}

bool is_float(ElementType type) {
  return type == ElementType::float32 || type == ElementType::float16 || type == ElementType::float64;
}

Tensor decode(const TensorRecord& record, const std::string& where) {
  const auto type = stored_type(record.type, where);
  const auto bytes =
      checked_mul(checked_product(record.shape, where), static_cast<std::int64_t>(size_of(type)), where);
  if (static_cast<std::uint64_t>(bytes) != record.data.size())
    fail(where,
         fmt::format("{} bytes for shape {} of {}", record.data.size(), to_string(record.shape),
                     name_of(record.type)),
         fmt::format("{}", bytes));
  Tensor tensor(type, record.shape);
  if (bytes > 0) std::memcpy(tensor.bytes().data(), record.data.data(), record.data.size());
  if (type == DType::boolean) {
    for (auto& byte : tensor.bytes()) byte = byte == std::byte{0} ? byte : std::byte{1};
  }
  const auto wide = widened(tensor);
  if (is_float(record.type) || !stands_for_floats(record)) return wide;
  return dequantized(wide, record.quantization, where);
}

namespace {

// ---- Operators that make constants

/// Stored tensors were decoded to floats already.
void dequantize(const Call& call) {
  if (call.tensor(0).dtype() != DType::float32)
    call.refuse("integers without a scale", "quantized constants");
  call.define(0, call.tensor(0));
}

DType type_of(const Call& call, std::int64_t type) {
  switch (static_cast<ElementType>(type)) {
    case ElementType::float32:
    case ElementType::float16:
    case ElementType::float64:
      return DType::float32;
    case ElementType::int32:
    case ElementType::int64:
      return DType::int64;
    case ElementType::boolean:
      return DType::boolean;
    default:
      call.refuse(fmt::format("a cast to {}", name_of(static_cast<ElementType>(type))),
                  "FLOAT32, INT32, INT64, BOOL");
  }
}

/// By the declared types: the options of old files have none.
void cast(const Call& call) {
  if (type_of(call, static_cast<std::int64_t>(call.output_type(0))) == DType::float32) return call.pass(0, 0);
  call.refuse("a cast of floats to integers while the network runs", "casts of constants");
}

void fold_cast(const Call& call) {
  call.charge(call.shape(0));
  call.define(
      0, tensor_math::convert(call.tensor(0), type_of(call, static_cast<std::int64_t>(call.output_type(0)))));
}

/// What the tensor's shape is does not need its elements.
void shape(const Call& call) {
  const auto extents = call.shape(0);
  call.define(0, tensor_math::of_integers({static_cast<std::int64_t>(extents.size())}, extents));
}

void rank(const Call& call) {
  call.define(0, tensor_math::of_integers({}, Integers{static_cast<std::int64_t>(call.rank(0))}));
}

void range(const Call& call) {
  if (call.tensor(0).dtype() != DType::int64) call.refuse("a range of floats", "integers");
  const auto first = call.integer(0), last = call.integer(1), step = call.integer(2);
  constexpr std::int64_t kLargest = std::int64_t{1} << 40;
  if (step == 0 || std::abs(first) > kLargest || std::abs(last) > kLargest || std::abs(step) > kLargest)
    call.refuse(fmt::format("a range of {} to {} by {}", first, last, step), "a finite one");
  const auto count = std::max<std::int64_t>(
      0, step > 0 ? (last - first + step - 1) / step : (first - last - step - 1) / -step);
  call.charge({count});
  Integers numbers;
  for (std::int64_t i = 0; i < count; ++i) numbers.push_back(first + i * step);
  call.define(0, tensor_math::of_integers({count}, numbers));
}

void fill(const Call& call) {
  const auto extents = call.integers(0);
  if (call.tensor(1).count() != 1) call.refuse("a value of several elements", "one");
  call.charge(extents);
  call.define(0, tensor_math::expanded(tensor_math::reshaped(call.tensor(1), {}), extents));
}

void zeros_like(const Call& call) {
  const auto extents = call.shape(0);
  call.charge(extents);
  const auto type = call.is_constant(0) ? call.tensor(0).dtype() : DType::float32;
  call.define(0, Tensor(type, extents));
}

}  // namespace

std::vector<Operator> constant_operators() {
  return {{"CAST", cast, fold_cast},
          {"DEQUANTIZE", nullptr, dequantize},
          {"FILL", nullptr, fill},
          {"RANGE", nullptr, range},
          {"RANK", rank, rank},
          {"SHAPE", shape, shape},
          {"ZEROS_LIKE", zeros_like, zeros_like}};
}

}  // namespace compress::tflite
