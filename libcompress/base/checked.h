// Arithmetic on sizes that come from outside: an overflow is an error of the input, never a wrapped number.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace compress {

/// a * b and a + b; Error of kind input naming `what` on overflow of int64.
std::int64_t checked_mul(std::int64_t a, std::int64_t b, std::string_view what);
std::int64_t checked_add(std::int64_t a, std::int64_t b, std::string_view what);

/// Product of `extents`, each of which must be in 0 .. 2^40; Error of kind input otherwise.
std::int64_t checked_product(std::span<const std::int64_t> extents, std::string_view what);

}  // namespace compress
