#include "libcompress/import/network_maker.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "libcompress/base/checked.h"
#include "libcompress/base/error.h"
#include "libcompress/import/bytes.h"

namespace compress {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 31;  // an extent, an attribute, the elements of a value
constexpr std::size_t kMostAxes = 16;
constexpr std::int64_t kFreeElements = std::int64_t{1} << 24;  // made whatever the file holds
constexpr std::size_t kLongestName = 120;

[[noreturn]] void fail(std::string where, std::string found, std::string allowed = "",
                       std::string remedy = "") {
  throw Error(ErrorKind::input, {std::move(where), std::move(found), std::move(allowed), std::move(remedy)});
}

void check_number(std::int64_t number, const std::string& name, const std::string& where) {
  if (number > kLargest || number < -kLargest)
    fail(where, fmt::format("{} in attribute '{}'", number, name), "numbers up to 2^31");
}

void check_attributes(const Attributes& attributes, const std::string& where) {
  for (const auto& [name, value] : attributes.items()) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) check_number(*number, name, where);
    if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value)) {
      for (const auto number : *list) check_number(number, name, where);
    }
  }
}

}  // namespace

void check_imported_shape(const Shape& shape, const std::string& where) {
  if (shape.size() > kMostAxes)
    fail(where, fmt::format("{} axes", shape.size()), fmt::format("at most {}", kMostAxes));
  if (checked_product(shape, where) > kLargest)
    fail(where, fmt::format("a value of shape {}", to_string(shape)), "at most 2^31 elements");
}

std::string readable_name(std::string_view name) {
  if (!is_utf8(name)) return "unreadable";
  auto length = std::min(name.size(), kLongestName);
  while (length < name.size() && length > 0 && (static_cast<unsigned char>(name[length]) & 0xC0) == 0x80)
    --length;
  std::string text(name.substr(0, length));
  for (auto& letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (code < 0x20 || code == 0x7F) letter = '_';
  }
  return text;
}

NetworkMaker::NetworkMaker(std::int64_t known_elements) { expect(known_elements); }

void NetworkMaker::expect(std::int64_t known_elements) { most_ = kFreeElements + 8 * known_elements; }

ValueId NetworkMaker::add_input(const std::string& name, const Shape& shape) {
  check_imported_shape(shape, fmt::format("input {}", in_quotes(name)));
  return graph_.add_input(unique(name), shape);
}

ValueId NetworkMaker::add_constant(const std::string& name, ValueKind kind, const Tensor& tensor) {
  check_imported_shape(tensor.shape(), fmt::format("constant {}", in_quotes(name)));
  const auto own = graph_.find_value(name) ? unique(name) : name;
  taken_.insert(own);
  const auto id = kind == ValueKind::parameter ? graph_.add_parameter(own, tensor.shape())
                                               : graph_.add_buffer(own, tensor.shape());
  weights_[own] = tensor.to_float32();
  return id;
}

ValueId NetworkMaker::add_node(const std::string& op, const std::string& name,
                               const std::vector<ValueId>& inputs, Attributes attributes) {
  const auto where = fmt::format("node {}", in_quotes(name));
  check_attributes(attributes, where);
  const auto id = graph_.add_node(op, unique(name), inputs, std::move(attributes));
  check_imported_shape(graph_.value(id).shape, where);
  return id;
}

void NetworkMaker::charge(const Shape& shape, const std::string& where) {
  check_imported_shape(shape, where);
  charged_ += checked_product(shape, where) + 16;
  if (charged_ > most_)
    fail(where, fmt::format("constants of more than {} elements to be made", most_), "small ones",
         "simplify the model when it is exported");
}

std::string NetworkMaker::unique(const std::string& wish) {
  if (taken_.insert(wish).second) return wish;
  auto& number = next_number_[wish];
  for (;;) {
    auto name = fmt::format("{}_{}", wish, ++number);
    if (taken_.insert(name).second) return name;
  }
}

}  // namespace compress
