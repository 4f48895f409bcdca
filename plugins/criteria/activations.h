// What criteria of activations are made of: how the loss of each example changes with each index.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "libcompress/strategy/criterion.h"
#include "libcompress/strategy/index_flow.h"

namespace compress {

/// By group and index, for one example: the sum over all taps of z * dL/dz, which to first order is what its
/// loss falls by when the index is zero there.
using Changes = std::vector<Scores>;

enum class Weighting {
  sum,   ///< over the elements of an index
  mean,  ///< of them, so that a large feature map weighs as much as a small one
};

/// Calls `use` for each example of the context's gradients. Error naming `criterion`: of kind usage if there
/// is no data, of kind input if it is empty.
void for_each_example(std::span<const PruningGroup> groups, const ScoringContext& context,
                      std::span<const GroupTap> taps, Weighting weighting, std::string_view criterion,
                      const std::function<void(const Changes& changes)>& use);

/// The mean over the context's examples of `term` of each change, by group and index. Errors as above.
std::vector<Scores> mean_over_examples(std::span<const PruningGroup> groups, const ScoringContext& context,
                                       std::span<const GroupTap> taps, Weighting weighting,
                                       std::string_view criterion, double (*term)(double change));

/// The context's gradients. Error of kind usage, naming `criterion`, if there are none.
GradientSource& gradients_for(std::string_view criterion, const ScoringContext& context);

/// Error of kind input, naming `criterion`, unless some data was seen.
void check_seen(std::string_view criterion, std::int64_t batches);

/// One score of 0 for every index.
std::vector<Scores> zeros(std::span<const PruningGroup> groups);

/// totals += term(changes), index by index.
void add_terms(std::vector<Scores>& totals, const Changes& changes, double (*term)(double change));

/// totals *= factor.
void scale(std::vector<Scores>& totals, double factor);

}  // namespace compress
