// Small helpers that the op rules share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libcompress/base/error.h"
#include "libcompress/graph/flow.h"
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

/// Output extent of a window of `kernel` elements spread by `dilation` over `extent` + padding; Error if it
/// does not fit even once.
std::int64_t window_extent(const OpCall& call, std::int64_t extent, std::int64_t kernel, std::int64_t stride,
                           std::int64_t pad_begin, std::int64_t pad_end, std::int64_t dilation);

/// Rules that several ops share.
Shape same_shape(const OpCall& call);
Cost one_op_an_element(const OpCall& call, const Shape& output);
Cost free_of_charge(const OpCall& call, const Shape& output);

/// Hands every layer of input 0 on unchanged (activations, dropout, batch-axis-free elementwise ops).
void pass_through(IdFlow& flow);

/// Ties the indices of `dimension` of the parameter at `operand` to the ids that input 0 has along `axis`:
/// each index goes when its element of the input goes. Where the input is dense the parameter keeps its
/// extent. Of two layers along the axis only one can shrink it; the others are pinned. Other axes are the
/// caller's business.
void tie_to_input(IdFlow& flow, int axis, std::size_t operand, int dimension);

/// Ties two axes index by index.
void tie_all(IdFlow& flow, const std::vector<CellId>& a, const std::vector<CellId>& b);

/// Emits ids along one axis of the output.
void emit_along(IdFlow& flow, int axis, std::vector<CellId> cells);

/// A window that slides over the spatial axes (2 and up): ids along an axis on which it covers one element a
/// step move on, ids along another become spatial. `unit[i]` speaks of axis i + 2. Ids along axes 0 and 1 are
/// not touched.
void slide_over_spatial_axes(IdFlow& flow, const std::vector<bool>& unit);

}  // namespace compress::rules
