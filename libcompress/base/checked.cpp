#include "libcompress/base/checked.h"

#include <fmt/format.h>

#include "libcompress/base/error.h"

namespace compress {
namespace {

[[noreturn]] void overflow(std::string_view what) {
  throw Error(ErrorKind::input,
              {std::string(what), "a size that does not fit 63 bits", "", "the file is damaged"});
}

}  // namespace

std::int64_t checked_mul(std::int64_t a, std::int64_t b, std::string_view what) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) overflow(what);
  return result;
}

std::int64_t checked_add(std::int64_t a, std::int64_t b, std::string_view what) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) overflow(what);
  return result;
}

std::int64_t checked_product(std::span<const std::int64_t> extents, std::string_view what) {
  std::int64_t product = 1;
  for (const auto extent : extents) {
    if (extent < 0 || extent > (std::int64_t{1} << 40))
      throw Error(ErrorKind::input,
                  {std::string(what), fmt::format("an extent of {}", extent), "0 to 2^40", ""});
    product = checked_mul(product, extent, what);
  }
  return product;
}

}  // namespace compress
