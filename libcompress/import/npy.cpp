#include "libcompress/import/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <vector>

#include "libcompress/base/checked.h"
#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/import/bytes.h"
#include "libcompress/import/zip.h"

namespace compress {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::uint64_t kLongestHeader = 65536;
constexpr std::size_t kMostDimensions = 32;  // as NumPy

struct Element {
  std::string_view code;
  DType dtype;
};
constexpr std::array kElements = {
    Element{"<f4", DType::float32}, Element{"<f2", DType::float16}, Element{"<f8", DType::float64},
    Element{"|i1", DType::int8},    Element{"|u1", DType::uint8},   Element{"<i2", DType::int16},
    Element{"<i4", DType::int32},   Element{"<i8", DType::int64},   Element{"|b1", DType::boolean},
};

/// {'descr': '<f4', 'fortran_order': False, 'shape': (64, 3, 8, 8), } and blanks: a dict of Python's.
class Header {
 public:
  Header(std::string_view text, const ByteReader& reader) : rest_(text), reader_(reader) {
    expect("{");
    while (!take("}")) {
      key();
      if (!take(",") && !at("}")) fail();
    }
    blanks();
    if (!rest_.empty() || !dtype_ || !shape_ || !row_major_) fail();
  }

  DType dtype() const { return *dtype_; }
  const Shape& shape() const { return *shape_; }

 private:
  void key() {
    const auto name = quoted();
    expect(":");
    if (name == "descr")
      dtype_ = element();
    else if (name == "fortran_order")
      row_major_ = order();
    else if (name == "shape")
      shape_ = extents();
    else
      fail();
  }

  DType element() {
    if (!at("'")) reader_.fail("an array of records", "numbers", "save its columns one by one");
    const auto code = quoted();
    const auto found =
        std::find_if(kElements.begin(), kElements.end(), [&](const auto& each) { return each.code == code; });
    if (found == kElements.end())
      reader_.fail("elements " + in_quotes(code), "little-endian numbers", "save array.astype('float32')");
    return found->dtype;
  }

  bool order() {
    if (take("False")) return true;
    if (take("True"))
      reader_.fail("an array in Fortran's order", "row-major", "save np.ascontiguousarray(array)");
    fail();
  }

  Shape extents() {
    Shape shape;
    expect("(");
    while (!take(")")) {
      shape.push_back(extent());
      if (!take(",") && !at(")")) fail();
    }
    if (shape.size() > kMostDimensions) fail();
    return shape;
  }

  std::int64_t extent() {
    blanks();
    std::int64_t value = 0;
    const auto [end, failed] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (failed != std::errc{} || value < 0) fail();
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  std::string_view quoted() {
    expect("'");
    const auto end = rest_.find('\'');
    if (end == std::string_view::npos) fail();
    const auto text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
  }

  void blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n"), rest_.size())); }
  bool at(std::string_view token) {
    blanks();
    return rest_.starts_with(token);
  }
  bool take(std::string_view token) {
    if (!at(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) fail();
  }
  [[noreturn]] void fail() const {
    reader_.fail("a header that NumPy does not write", "as np.save writes it");
  }

  std::string_view rest_;
  const ByteReader& reader_;
  std::optional<DType> dtype_;
  std::optional<bool> row_major_;
  std::optional<Shape> shape_;
};

bool is_npy(std::span<const std::byte> bytes) {
  return bytes.size() >= kMagic.size() && std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

[[noreturn]] void refuse(const std::string& where, std::string found, std::string allowed) {
  throw Error(ErrorKind::input, {where, std::move(found), std::move(allowed), ""});
}

void append(std::vector<float>& all, const Tensor& array) {
  const Tensor values = array.to_float32();
  const auto floats = values.as<float>();
  all.insert(all.end(), floats.begin(), floats.end());
}

}  // namespace

Tensor parse_npy(std::span<const std::byte> bytes, const std::string& name) {
  ByteReader reader(bytes, name);
  if (!is_npy(bytes)) reader.fail("no array of NumPy", "a file that np.save wrote");
  reader.seek(kMagic.size());
  const auto version = reader.u8();
  const auto minor = reader.u8();
  if (version < 1 || version > 3 || minor != 0)
    reader.fail(fmt::format("format version {}.{}", version, minor), "1.0 to 3.0");
  const std::uint64_t length = version == 1 ? reader.u16() : reader.u32();
  if (length > kLongestHeader) reader.fail("a header of " + std::to_string(length) + " bytes", "64 KiB");
  const auto text = reader.text(length);
  const Header header(text, reader);
  const auto count = checked_product(header.shape(), name);
  const auto size = checked_mul(count, static_cast<std::int64_t>(size_of(header.dtype())), name);
  if (static_cast<std::uint64_t>(size) != reader.remaining())
    reader.fail(fmt::format("{} bytes of elements", reader.remaining()),
                fmt::format("{} for the shape {}", size, to_string(header.shape())));
  Tensor tensor(header.dtype(), header.shape());
  const auto content = reader.take(static_cast<std::uint64_t>(size));
  std::copy(content.begin(), content.end(), tensor.bytes().begin());
  return tensor;
}

StateDict parse_arrays(std::span<const std::byte> bytes, const std::string& name) {
  StateDict arrays;
  if (!is_zip(bytes)) {
    arrays[""] = parse_npy(bytes, name);
    return arrays;
  }
  const ZipArchive archive(bytes, name);
  for (const auto& [entry, where] : archive.entries()) {
    if (!where.stored)
      throw Error(ErrorKind::input, {name, "the compressed array " + in_quotes(entry), "arrays as they are",
                                     "write it with np.savez in place of np.savez_compressed"});
    const auto array = entry.ends_with(".npy") ? entry.substr(0, entry.size() - 4) : entry;
    arrays[array] = parse_npy(archive.read(entry), name + ": " + entry);
  }
  return arrays;
}

StateDict read_arrays(const std::filesystem::path& path) {
  return parse_arrays(read_bytes(path), path.string());
}

Tensor read_examples(const std::filesystem::path& path) {
  const auto arrays = read_arrays(path);
  if (arrays.empty()) refuse(path.string(), "no array", "one or more, [count, ...]");
  Shape shape = arrays.begin()->second.shape();
  if (shape.empty()) refuse(path.string(), "a single number", "examples, [count, ...]");
  shape[0] = 0;
  std::vector<float> all;
  for (const auto& [name, array] : arrays) {
    if (array.shape().size() != shape.size() ||
        !std::equal(shape.begin() + 1, shape.end(), array.shape().begin() + 1))
      refuse(path.string(), "array " + in_quotes(name) + " of shape " + to_string(array.shape()),
             "all of one shape behind axis 0");
    shape[0] += array.shape()[0];
    append(all, array);
  }
  return Tensor::of(shape, all);
}

}  // namespace compress
