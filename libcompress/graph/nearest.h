// Which elements the operator `resize` takes in its mode `nearest`.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace compress {

/// Where element `o` of `out` lies among `in` elements, by resize's attribute `coordinates`.
double place_among(std::int64_t o, std::int64_t in, std::int64_t out, std::string_view coordinates);

/// For each of `out` elements of an axis the one of `in` that it is, by resize's attributes `coordinates` and
/// `rounding`.
std::vector<std::int64_t> nearest_elements(std::int64_t in, std::int64_t out, std::string_view coordinates,
                                           std::string_view rounding);

}  // namespace compress
