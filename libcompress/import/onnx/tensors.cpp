#include "libcompress/import/onnx/tensors.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cstring>
#include <utility>
#include <vector>

#include "libcompress/base/checked.h"
#include "libcompress/base/error.h"
#include "libcompress/base/files.h"

namespace compress::onnx {
namespace {

[[noreturn]] void fail(const std::string& where, std::string found, std::string allowed = "",
                       std::string remedy = "") {
  throw Error(ErrorKind::input, {where, std::move(found), std::move(allowed), std::move(remedy)});
}

std::size_t width_of(ElementType type) {
  switch (type) {
    case ElementType::uint8:
    case ElementType::int8:
    case ElementType::boolean:
      return 1;
    case ElementType::uint16:
    case ElementType::int16:
    case ElementType::float16:
    case ElementType::bfloat16:
      return 2;
    case ElementType::float32:
    case ElementType::int32:
    case ElementType::uint32:
      return 4;
    case ElementType::float64:
    case ElementType::int64:
    case ElementType::uint64:
      return 8;
    default:
      return 0;
  }
}

DType dtype_of(ElementType type) {
  if (is_float(type)) return DType::float32;
  return type == ElementType::boolean ? DType::boolean : DType::int64;
}

/// An element of T as a 64-bit integer, and the other way its lowest bits.
template <typename T>
void widen(std::span<const std::byte> from, std::span<std::int64_t> to) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    T value;
    std::memcpy(&value, from.data() + i * sizeof(T), sizeof(T));
    to[i] = static_cast<std::int64_t>(value);
  }
}

float from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

void decode_floats(ElementType type, std::span<const std::byte> from, Tensor& to) {
  const auto floats = to.as<float>();
  if (type == ElementType::float32) {
    if (!from.empty()) std::memcpy(floats.data(), from.data(), from.size());
  } else if (type == ElementType::float64) {
    for (std::size_t i = 0; i < floats.size(); ++i) {
      double value = 0;
      std::memcpy(&value, from.data() + i * sizeof(value), sizeof(value));
      floats[i] = static_cast<float>(value);
    }
  } else if (type == ElementType::bfloat16) {
    for (std::size_t i = 0; i < floats.size(); ++i) {
      std::uint16_t bits = 0;
      std::memcpy(&bits, from.data() + i * sizeof(bits), sizeof(bits));
      floats[i] = from_bfloat16(bits);
    }
  } else {
    Tensor halves(DType::float16, to.shape());
    if (!from.empty()) std::memcpy(halves.bytes().data(), from.data(), from.size());
    to = halves.to_float32();
  }
}

void decode_integers(ElementType type, std::span<const std::byte> from, std::span<std::int64_t> to) {
  switch (type) {
    case ElementType::uint8:
      return widen<std::uint8_t>(from, to);
    case ElementType::int8:
      return widen<std::int8_t>(from, to);
    case ElementType::uint16:
      return widen<std::uint16_t>(from, to);
    case ElementType::int16:
      return widen<std::int16_t>(from, to);
    case ElementType::int32:
      return widen<std::int32_t>(from, to);
    case ElementType::uint32:
      return widen<std::uint32_t>(from, to);
    case ElementType::uint64:
      return widen<std::uint64_t>(from, to);
    default:
      return widen<std::int64_t>(from, to);
  }
}

Tensor decode_bytes(ElementType type, Shape shape, std::span<const std::byte> from) {
  Tensor tensor(dtype_of(type), std::move(shape));
  if (is_float(type)) {
    decode_floats(type, from, tensor);
  } else if (type == ElementType::boolean) {
    const auto to = tensor.bytes();
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = std::byte{from[i] != std::byte{0}};
  } else {
    decode_integers(type, from, tensor.as<std::int64_t>());
  }
  return tensor;
}

void expect_count(std::size_t found, std::int64_t needed, const TensorRecord& record,
                  const std::string& where) {
  if (found == static_cast<std::size_t>(needed)) return;
  fail(where, fmt::format("{} elements for shape {}", found, to_string(record.dims)),
       fmt::format("{}", needed));
}

/// The lists of numbers, which serve small tensors. Halves lie in the integers as bits.
Tensor decode_lists(const TensorRecord& record, std::int64_t count, const std::string& where) {
  if (record.type == ElementType::float32) {
    expect_count(record.floats.size(), count, record, where);
    return Tensor::of(record.dims, record.floats);
  }
  if (record.type == ElementType::float64) {
    expect_count(record.doubles.size(), count, record, where);
    return decode_bytes(record.type, record.dims, std::as_bytes(std::span(record.doubles)));
  }
  expect_count(record.integers.size(), count, record, where);
  if (is_float(record.type)) {
    std::vector<std::uint16_t> bits(record.integers.begin(), record.integers.end());
    return decode_bytes(record.type, record.dims, std::as_bytes(std::span(bits)));
  }
  Tensor tensor(dtype_of(record.type), record.dims);
  if (record.type == ElementType::boolean) {
    for (std::size_t i = 0; i < record.integers.size(); ++i)
      tensor.bytes()[i] = std::byte{record.integers[i] != 0};
  } else {
    std::copy(record.integers.begin(), record.integers.end(), tensor.as<std::int64_t>().begin());
  }
  return tensor;
}

std::int64_t checked_count(const TensorRecord& record, const std::string& where) {
  if (width_of(record.type) == 0)
    fail(where, fmt::format("elements of {}", name_of(record.type)),
         "float32, float16, bfloat16, float64, integers of 8 to 64 bits, bool");
  const auto count = checked_product(record.dims, where);
  checked_mul(count, 8, where);
  return count;
}

void expect_bytes(std::uint64_t found, std::int64_t count, const TensorRecord& record,
                  const std::string& where) {
  const auto needed = static_cast<std::uint64_t>(count) * width_of(record.type);
  if (found != needed)
    fail(where,
         fmt::format("{} bytes for {} of shape {}", found, name_of(record.type), to_string(record.dims)),
         fmt::format("{}", needed), "the file is damaged");
}

std::uint64_t decimal(std::string_view text, const std::string& where) {
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size())
    fail(where, fmt::format("{} as a number of bytes", in_quotes(text)), "a whole number");
  return value;
}

struct Location {
  std::string path;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool has_length = false;
};

Location location_of(const TensorRecord& record, const std::string& where) {
  Location location;
  for (const auto& [key, value] : record.external_data) {
    if (key == "location") location.path = std::string(value);
    if (key == "offset") location.offset = decimal(value, where);
    if (key == "length") {
      location.length = decimal(value, where);
      location.has_length = true;
    }
  }
  if (location.path.empty() || !is_utf8(location.path) || location.path.find('\0') != std::string::npos)
    fail(where, "external data without a readable location", "the name of a file in the model's folder");
  return location;
}

}  // namespace

Tensor decode(const TensorRecord& record, const std::string& where) {
  if (record.external) fail(where, "external data where none can be", "data in the file");
  const auto count = checked_count(record, where);
  if (!record.has_raw) return decode_lists(record, count, where);
  expect_bytes(record.raw.size(), count, record, where);
  return decode_bytes(record.type, record.dims, record.raw);
}

TensorReader::TensorReader(std::string file, std::filesystem::path folder)
    : file_(std::move(file)), folder_(std::move(folder)) {}

Tensor TensorReader::read(const TensorRecord& record, const std::string& where) {
  const auto place = file_ + ": " + where;
  if (!record.external) return decode(record, place);
  return read_external(record, checked_count(record, place), place);
}

Tensor TensorReader::read_external(const TensorRecord& record, std::int64_t count, const std::string& where) {
  const auto location = location_of(record, where);
  std::filesystem::path path;
  try {
    path = confined(folder_, location.path);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", where, error.what()));
  }
  std::error_code code;
  if (external_files_.insert(path.lexically_normal().string()).second) {
    const auto size = std::filesystem::file_size(path, code);
    if (code)
      throw Error(ErrorKind::io, {where, "cannot read " + path.string() + ": " + code.message(), "", ""});
    external_budget_ += 2 * static_cast<std::uint64_t>(size);  // a tensor may well be there under two names
  }
  const auto needed = static_cast<std::uint64_t>(count) * width_of(record.type);
  if (location.has_length) expect_bytes(location.length, count, record, where);
  if (needed > external_budget_)
    fail(where, "more external data than its file holds", "", "the file is damaged");
  const auto bytes = read_range(path, location.offset, needed);
  external_budget_ -= needed;
  return decode_bytes(record.type, record.dims, bytes);
}

}  // namespace compress::onnx
