// Small helpers that the shape and cost rules share; couple.h has those of the coupling rules.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libcompress/base/error.h"
#include "libcompress/graph/op.h"

namespace compress::rules {

/// Error of kind input: "node 'NAME': FOUND; allowed: ALLOWED".
[[noreturn]] void bad_call(const OpCall& call, std::string found, std::string allowed);

/// Error unless input `i` has exactly / at least this rank.
void expect_rank(const OpCall& call, std::size_t i, std::size_t rank);
void expect_rank_at_least(const OpCall& call, std::size_t i, std::size_t rank);

/// The integer list `name`, which must have `size` elements, all >= minimum.
const std::vector<std::int64_t>& expect_integers(const OpCall& call, std::string_view name, std::size_t size,
                                                 std::int64_t minimum);

/// The axis that attribute `name` gives: `least` to the last of input 0.
std::int64_t expect_axis(const OpCall& call, std::string_view name, std::int64_t least);

/// The same list, where an empty one stands for `fallback` along each of `size` axes.
std::vector<std::int64_t> integers_or(const OpCall& call, std::string_view name, std::size_t size,
                                      std::int64_t minimum, std::int64_t fallback);

/// The text `name`, which must be one of `allowed`.
const std::string& expect_choice(const OpCall& call, std::string_view name,
                                 const std::vector<std::string>& allowed);

/// Output extent of a window of `kernel` elements spread by `dilation` over `extent` + padding; Error if it
/// does not fit even once.
std::int64_t window_extent(const OpCall& call, std::int64_t extent, std::int64_t kernel, std::int64_t stride,
                           std::int64_t pad_begin, std::int64_t pad_end, std::int64_t dilation);

/// Rules that several ops share.
/// All inputs as numpy broadcasts them; Error where extents differ and none is 1.
Shape broadcast_shape(const OpCall& call);
Shape same_shape(const OpCall& call);
Cost one_op_an_element(const OpCall& call, const Shape& output);
Cost free_of_charge(const OpCall& call, const Shape& output);

}  // namespace compress::rules
