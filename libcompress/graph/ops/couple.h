// How ids move and meet: the coupling rules that several operators share, and the pieces of the others.
//
// A rule that an operator does not have pins everything that reaches it; see graph/flow.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libcompress/graph/flow.h"
#include "libcompress/graph/op.h"

namespace compress::couple {

// Whole rules.

/// Hands every layer of input 0 on. What was zero stays zero if the operator makes zero of zero.
void pass_through(IdFlow& flow);

/// The same for an operator that is infinite at zero: where removed indices are zero they are pinned.
void pass_unless_zero(IdFlow& flow);

/// Limits of attributes `min` and `max`, which zero may lie between or not.
void clip(IdFlow& flow);

/// Elementwise with broadcasting. What meets lives or dies together; where one side is dense the others have
/// to stay; what is broadcast does not count.
void sum(IdFlow& flow);       ///< also maximum and minimum: zero where all inputs are zero and nothing is
                              ///< broadcast into it
void product(IdFlow& flow);   ///< zero where one input is
void quotient(IdFlow& flow);  ///< of inputs 0 and 1; removed divisors must not be zero
void power(IdFlow& flow);     ///< of inputs 0 and 1; removed bases must not be zero

/// The same over the first `axes` axes of the output alone (the batch axes of a matrix product).
void product_over(IdFlow& flow, int axes);

/// Sums over an axis against weights, see couple_contraction.cpp. Groups of a convolution keep equal counts;
/// a depthwise one has as many groups as channels are left.
void conv(IdFlow& flow);
Rewrite resize_conv(const Remains& left);
void conv_transpose(IdFlow& flow);
Rewrite resize_conv_transpose(const Remains& left);
void linear(IdFlow& flow);
void matmul(IdFlow& flow);

/// Scale, shift and statistics follow the axis they belong to, see couple_norm.cpp.
void batch_norm(IdFlow& flow);
void layer_norm(IdFlow& flow);
void group_norm(IdFlow& flow);
Rewrite resize_group_norm(const Remains& left);
void instance_norm(IdFlow& flow);

/// Over the axes that attribute `axes` names, which vanish unless `keep`.
void linear_reduction(
    IdFlow& flow);                  ///< sums of (absolute, squared) elements: removed zeros count for nothing
void full_reduction(IdFlow& flow);  ///< mean, maximum, product: they need every index

/// Softmax and its logarithm over attribute `axis`.
void softmax(IdFlow& flow);

/// A window that moves over the spatial axes: channels pass.
void global_pool(IdFlow& flow);

// Movement: the output's ids are the input's at other places. Each has a rule for what becomes of its
// literals.

void permute(IdFlow& flow);
void concat(IdFlow& flow);

/// Also flatten. Where an axis is split and ids would vary along several of the new axes, they are tied so
/// that they follow one: the outermost with four indices or more to choose from, else the one with most (the
/// heads of an attention rather than their elements).
void reshape(IdFlow& flow);
Rewrite resize_reshape(const Remains& left);

void slice(IdFlow& flow);
Rewrite resize_slice(const Remains& left);  ///< a gather where a step does not fit what is left
void gather(IdFlow& flow);
Rewrite resize_gather(const Remains& left);

/// Appended channels are ids of the pad's own: fewer of them can be appended.
void pad(IdFlow& flow);
Rewrite resize_pad(const Remains& left);

/// So are the indices along an axis that is repeated.
void expand(IdFlow& flow);
Rewrite resize_expand(const Remains& left);

void depth_to_space(IdFlow& flow);
void space_to_depth(IdFlow& flow);
void channel_shuffle(IdFlow& flow);
Rewrite resize_channel_shuffle(const Remains& left);  ///< a gather where blocks lose unequal counts

// Pieces.

/// Ids of input `input` along `axis`, kNoCell where it is dense; of several layers the first.
std::vector<CellId> cells_along(const IdFlow& flow, std::size_t input, int axis);
bool is_zero_along(const IdFlow& flow, std::size_t input, int axis);

/// Pins all layers along `axis` of `input` but the first: a rule that ties an axis can tie one.
void pin_further_layers(IdFlow& flow, std::size_t input, int axis);

/// Pins the layer along `axis` of `input` unless it is zero where it is removed: it is read without weights
/// of its own.
void pin_unless_zero(IdFlow& flow, std::size_t input, int axis);

/// A sum over `axis` of input 0 against `other_axis` of input `other`: index by index they go together, and
/// one of both has to be zero where they are removed. Where one side is dense the other one is pinned.
void contract(IdFlow& flow, int axis, std::size_t other, int other_axis);

/// The parameter at `operand`, if it is there, follows axis `axis` of input 0 with its axis `dimension`.
/// Where input 0 is dense the parameter keeps its extent.
void follow(IdFlow& flow, int axis, std::size_t operand, int dimension);

/// Channels of groups (blocks of one size) keep equal counts: index j goes in all blocks or in none.
void tie_blocks(IdFlow& flow, const std::vector<CellId>& cells, std::size_t blocks);

/// A window that slides over the spatial axes (2 and up): ids along an axis on which it covers one element a
/// step move on, ids along another become spatial. `unit[i]` speaks of axis i + 2. Ids along axes 0 and 1 are
/// not touched.
void slide_over_spatial_axes(IdFlow& flow, const std::vector<bool>& unit);

}  // namespace compress::couple
