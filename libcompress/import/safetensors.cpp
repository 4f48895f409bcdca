#include "libcompress/import/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "libcompress/base/checked.h"
#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/import/bytes.h"

namespace compress {
namespace {

constexpr std::uint64_t kLongestHeader = std::uint64_t{64} << 20;
constexpr std::size_t kMostTensors = 100'000;
constexpr std::size_t kMostDimensions = 32;
constexpr std::size_t kLengthBytes = 8;
constexpr std::string_view kMetadata = "__metadata__";

struct Element {
  std::string_view name;
  DType dtype;
};

constexpr std::array kElements = {
    Element{"F32", DType::float32}, Element{"F16", DType::float16}, Element{"F64", DType::float64},
    Element{"I8", DType::int8},     Element{"U8", DType::uint8},    Element{"I16", DType::int16},
    Element{"I32", DType::int32},   Element{"I64", DType::int64},   Element{"BOOL", DType::boolean},
};
constexpr std::string_view kBfloat16 = "BF16";  // widened to float32 when read

const Element* find_element(std::string_view name) {
  const auto found = std::find_if(kElements.begin(), kElements.end(),
                                  [&](const Element& each) { return each.name == name; });
  return found == kElements.end() ? nullptr : &*found;
}

std::string_view element_name(DType dtype) {
  return std::find_if(kElements.begin(), kElements.end(),
                      [&](const Element& each) { return each.dtype == dtype; })
      ->name;
}

[[noreturn]] void fail(std::string where, std::string found, std::string allowed = "",
                       std::string remedy = "") {
  throw Error(ErrorKind::input, {std::move(where), std::move(found), std::move(allowed), std::move(remedy)});
}

/// One tensor of the header.
struct Entry {
  std::string name;
  std::string dtype{};
  Shape shape{};
  Shape offsets{};  ///< begin, end: bytes after the header
  unsigned fields = 0;
};

/// Takes the header apart as the parser reads it: nothing is built but what the format has, so neither depth
/// nor size of hostile JSON costs anything.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderReader(std::string where, std::vector<Entry>& entries, std::map<std::string, std::string>& metadata)
      : where_(std::move(where)), entries_(entries), metadata_(metadata) {}

  bool start_object(std::size_t) override {
    if (at_ == At::start) return go(At::file);
    if (at_ == At::value) {
      if (name_ == kMetadata) return go(At::metadata);
      if (entries_.size() >= kMostTensors)
        complain("too many tensors", fmt::format("at most {}", kMostTensors));
      entries_.push_back({.name = name_});
      return go(At::entry);
    }
    misplaced("an object");
  }

  bool end_object() override { return go(at_ == At::file ? At::end : At::file); }

  bool key(string_t& text) override {
    if (at_ == At::file) {
      name_ = text;
      if (!names_.insert(text).second) complain(fmt::format("key {} twice", in_quotes(text)), "unique keys");
      return go(At::value);
    }
    if (at_ == At::metadata) {
      field_ = text;
      if (metadata_.contains(text))
        complain(fmt::format("metadata key {} twice", in_quotes(text)), "unique keys");
      return go(At::metadata_value);
    }
    return entry_key(text);
  }

  bool string(string_t& text) override {
    if (at_ == At::metadata_value) {
      metadata_.emplace(field_, text);
      return go(At::metadata);
    }
    if (at_ == At::dtype) {
      entries_.back().dtype = text;
      return go(At::entry);
    }
    misplaced("text");
  }

  bool start_array(std::size_t) override {
    if (at_ == At::shape) return go(At::shape_items);
    if (at_ == At::offsets) return go(At::offset_items);
    misplaced("a list");
  }

  bool end_array() override { return go(At::entry); }

  bool number_unsigned(number_unsigned_t value) override {
    const bool is_shape = at_ == At::shape_items;
    if (!is_shape && at_ != At::offset_items) misplaced("a number");
    auto& items = is_shape ? entries_.back().shape : entries_.back().offsets;
    if (items.size() >= (is_shape ? kMostDimensions : 2))
      complain("a list too long", is_shape ? "32" : "2 offsets");
    if (value > std::uint64_t{INT64_MAX}) complain(fmt::format("number {}", value), "below 2^63");
    items.push_back(static_cast<std::int64_t>(value));
    return true;
  }

  bool null() override { misplaced("null"); }
  bool boolean(bool) override { misplaced("a boolean"); }
  bool number_integer(number_integer_t) override { misplaced("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { misplaced("a fraction"); }
  bool binary(binary_t&) override { misplaced("binary data"); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    complain(fmt::format("text that is not JSON, at byte {} of the header", position), "");
  }

 private:
  enum class At {
    start,
    file,
    value,
    metadata,
    metadata_value,
    entry,
    dtype,
    shape,
    shape_items,
    offsets,
    offset_items,
    end
  };

  bool go(At next) {
    at_ = next;
    return true;
  }

  bool entry_key(const std::string& text) {
    struct Field {
      std::string_view name;
      At next;
      unsigned bit;
    };
    constexpr std::array kFields = {Field{"dtype", At::dtype, 1}, Field{"shape", At::shape, 2},
                                    Field{"data_offsets", At::offsets, 4}};
    for (const auto& field : kFields) {
      if (field.name != text) continue;
      if (entries_.back().fields & field.bit) complain(fmt::format("key '{}' twice", text), "unique keys");
      entries_.back().fields |= field.bit;
      return go(field.next);
    }
    complain(fmt::format("key {}", in_quotes(text)), "dtype, shape, data_offsets");
  }

  [[noreturn]] void misplaced(std::string_view what) {
    complain(fmt::format("{} where the format has none", what), "{name: {dtype, shape, data_offsets}}");
  }

  [[noreturn]] void complain(std::string found, std::string allowed) {
    fail(name_.empty() ? where_ : fmt::format("{}, at {}", where_, in_quotes(name_)), std::move(found),
         std::move(allowed));
  }

  std::string where_;
  std::vector<Entry>& entries_;
  std::map<std::string, std::string>& metadata_;
  std::set<std::string> names_;
  std::string name_;
  std::string field_;
  At at_ = At::start;
};

/// Bytes of one element as the file has it.
std::int64_t stored_width(const Entry& entry, const std::string& where) {
  if (entry.dtype == kBfloat16) return 2;
  const auto* element = find_element(entry.dtype);
  if (!element)
    fail(where, fmt::format("dtype {}", in_quotes(entry.dtype)),
         "F32, F16, BF16, F64, I8, U8, I16, I32, I64, BOOL");
  return static_cast<std::int64_t>(size_of(element->dtype));
}

void check_entry(const Entry& entry, std::int64_t data_bytes, const std::string& where) {
  if (entry.fields != 7 || entry.offsets.size() != 2)
    fail(where, "an incomplete description", "dtype, shape and two data_offsets");
  const auto begin = entry.offsets[0], end = entry.offsets[1];
  if (begin > end || end > data_bytes)
    fail(where, fmt::format("bytes {} to {}", begin, end),
         fmt::format("inside the {} bytes of data", data_bytes), "the file looks cut short");
  const auto needed = checked_mul(checked_product(entry.shape, where), stored_width(entry, where), where);
  if (needed != end - begin)
    fail(where, fmt::format("{} bytes for {} of shape {}", end - begin, entry.dtype, to_string(entry.shape)),
         fmt::format("{}", needed));
}

/// Ordered by offset, the ranges must follow each other from the first byte to the last.
void check_cover(const std::vector<Entry>& entries, std::int64_t data_bytes, const std::string& name) {
  std::vector<const Entry*> order;
  for (const auto& entry : entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return a->offsets < b->offsets; });
  std::int64_t covered = 0;
  for (const auto* entry : order) {
    if (entry->offsets[0] != covered)
      fail(fmt::format("{}: tensor {}", name, in_quotes(entry->name)),
           fmt::format("begins at byte {}", entry->offsets[0]),
           fmt::format("{}, without gap or overlap", covered));
    covered = entry->offsets[1];
  }
  if (covered != data_bytes)
    fail(name, fmt::format("{} bytes after the last tensor", data_bytes - covered), "none");
}

Tensor load(const Entry& entry, std::span<const std::byte> data) {
  const auto begin = static_cast<std::size_t>(entry.offsets[0]);
  const auto from = data.subspan(begin, static_cast<std::size_t>(entry.offsets[1]) - begin);
  if (entry.dtype != kBfloat16) {
    Tensor tensor(find_element(entry.dtype)->dtype, entry.shape);
    if (!from.empty()) std::memcpy(tensor.bytes().data(), from.data(), from.size());
    return tensor;
  }
  Tensor tensor(DType::float32, entry.shape);
  const auto to = tensor.as<float>();
  for (std::size_t i = 0; i < to.size(); ++i) {
    std::uint16_t upper = 0;
    std::memcpy(&upper, from.data() + 2 * i, 2);
    to[i] = std::bit_cast<float>(static_cast<std::uint32_t>(upper) << 16);
  }
  return tensor;
}

/// Rounds to nearest, ties to even; beyond the largest half it gives infinity.
std::uint16_t narrow_to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
  const auto magnitude = std::bit_cast<float>(bits & 0x7fffffffu);
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7e00u);
  if (magnitude >= 65520.0f) return static_cast<std::uint16_t>(sign | 0x7c00u);
  if (magnitude < 0x1p-14f)  // subnormal halves are multiples of 2^-24; rintf rounds ties to even
    return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::rint(magnitude * 0x1p24f)));
  const auto rounded = (bits & 0x7fffffffu) + 0xfffu + (bits >> 13 & 1u);
  return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>((rounded >> 13) - (112u << 10)));
}

Tensor to_float16(const Tensor& tensor, const std::string& name) {
  Tensor halves(DType::float16, tensor.shape());
  const auto from = tensor.as<float>();
  const auto to = halves.bytes();
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto half = narrow_to_half(from[i]);
    if (std::isfinite(from[i]) && (half & 0x7c00u) == 0x7c00u)
      fail(fmt::format("tensor {}", in_quotes(name)), fmt::format("{}", from[i]),
           "-65504 .. 65504 in float16", "store it as float32");
    std::memcpy(to.data() + 2 * i, &half, 2);
  }
  return halves;
}

void check_text(const std::string& text) {
  if (!is_utf8(text)) fail(in_quotes(text), "not UTF-8", "UTF-8 names and metadata");
}

/// The tensors in the order of their data.
std::vector<std::pair<std::string, Tensor>> arrange(const StateDict& tensors,
                                                    const SafetensorsOptions& options) {
  std::vector<std::pair<std::string, Tensor>> order;
  for (const auto& [name, tensor] : tensors) {
    check_text(name);
    if (name == kMetadata) fail(in_quotes(name), "a tensor of this name", "any other");
    if (tensor.empty())
      throw Error(ErrorKind::usage, {fmt::format("tensor {}", in_quotes(name)), "no data", "", ""});
    const bool narrow = options.float16 && tensor.dtype() == DType::float32;
    order.emplace_back(name, narrow ? to_float16(tensor, name) : tensor);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return size_of(a.second.dtype()) > size_of(b.second.dtype());
  });
  return order;
}

}  // namespace

bool is_safetensors(std::span<const std::byte> bytes) {
  // The length's two upper bytes are 0 in any file that exists.
  return bytes.size() > kLengthBytes && bytes[6] == std::byte{0} && bytes[7] == std::byte{0} &&
         bytes[8] == std::byte{'{'};
}

StateFile read_safetensors(const std::filesystem::path& path) {
  return parse_safetensors(read_bytes(path), path.string());
}

StateFile parse_safetensors(std::span<const std::byte> bytes, const std::string& name) {
  ByteReader reader(bytes, name);
  const auto length = reader.u64();
  if (length > kLongestHeader)
    reader.fail(fmt::format("a header of {} bytes", length), fmt::format("at most {}", kLongestHeader));
  const auto header = reader.text(length);
  if (!header.starts_with('{')) fail(name, "a header that does not begin with '{'", "safetensors");

  StateFile file;
  std::vector<Entry> entries;
  HeaderReader handler(name + ": header", entries, file.metadata);
  nlohmann::json::sax_parse(header.begin(), header.end(), &handler);

  const auto data = reader.take(reader.remaining());
  const auto data_bytes = static_cast<std::int64_t>(data.size());
  for (const auto& entry : entries)
    check_entry(entry, data_bytes, fmt::format("{}: tensor {}", name, in_quotes(entry.name)));
  check_cover(entries, data_bytes, name);
  for (const auto& entry : entries) file.tensors.emplace(entry.name, load(entry, data));
  return file;
}

std::string format_safetensors(const StateDict& tensors, const std::map<std::string, std::string>& metadata,
                               const SafetensorsOptions& options) {
  const auto order = arrange(tensors, options);
  auto header = nlohmann::json::object();  // keeps its keys sorted
  std::size_t end = 0;
  for (const auto& [name, tensor] : order) {
    const auto begin = end;
    end += tensor.byte_count();
    header[name] = {
        {"dtype", element_name(tensor.dtype())}, {"shape", tensor.shape()}, {"data_offsets", {begin, end}}};
  }
  for (const auto& [key, text] : metadata) {
    check_text(key);
    check_text(text);
    header[std::string(kMetadata)][key] = text;
  }
  auto text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');

  const std::uint64_t length = text.size();
  std::string bytes(reinterpret_cast<const char*>(&length), kLengthBytes);
  bytes.reserve(kLengthBytes + text.size() + end);
  bytes += text;
  for (const auto& [name, tensor] : order) {
    const auto content = std::as_const(tensor).bytes();
    bytes.append(reinterpret_cast<const char*>(content.data()), content.size());
  }
  return bytes;
}

void write_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                       const std::map<std::string, std::string>& metadata,
                       const SafetensorsOptions& options) {
  write_file(path, format_safetensors(tensors, metadata, options));
}

}  // namespace compress
