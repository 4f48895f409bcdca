// From scores and a budget to kept indices: what strategies are made of.
#pragma once

#include <cstdint>
#include <functional>

#include "libcompress/strategy/strategy.h"
#include "libcompress/strategy/width_space.h"

namespace compress {

/// What it is worth that group g is wider than `width` (below its ceiling), comparable between groups: the
/// least worthy gives up channels first, the most worthy is given them back first.
using Worth = std::function<double(std::size_t g, std::int64_t width)>;

/// How a strategy chooses widths.
struct Selection {
  std::function<Widths()> narrow;  ///< allowed widths that hold the budget, near its edge; asked only where
                                   ///< the ceilings break it and the floors hold it
  Worth worth;
};

/// Makes a selection in a space, which outlives it.
using Selector = std::function<Selection(const WidthSpace&)>;

/// Narrows as the selector says until every bound of the budget holds, then gives back what still fits and
/// exchanges a channel here for one there until the tightest bound is reached within its tolerance. A network
/// that already fits keeps everything that its ratios let it. Error of kind budget where that is not
/// possible.
PruningPlan select(const PlanRequest& request, const Selector& selector);

/// How a score of one group is held against one of another.
enum class Comparison {
  as_scored,  ///< by the scores alone: the criterion makes them comparable
  mean,       ///< divided by the group's mean, so that an index of a wide group weighs as much as one of a
              ///< narrow group (the L2 norm of Molchanov et al., ICLR 2017, is larger in a wide group by the
              ///< root of its width, which empties wide groups first)
  survivors,  ///< divided by the sum of those in the group that are not smaller, as LAMP does with weights
              ///< (Lee et al., ICLR 2021): the best of every group has 1, so no group is emptied
};

/// The least scored indices over all groups go first; a group at its floor stays there and the others go on.
Selection by_rank(const WidthSpace& space, Comparison comparison = Comparison::survivors);

/// The same fraction of every group.
Selection evenly(const WidthSpace& space);

/// One group after the other, the least worthy first, each until the budget holds or it is at its floor
/// (as arXiv 2103.03483 removes one channel at a time).
Selection one_group_at_a_time(const WidthSpace& space, Worth worth);

PruningPlan select_globally(const PlanRequest& request);   ///< select() by_rank()
PruningPlan select_uniformly(const PlanRequest& request);  ///< select() evenly()

/// Removes `fraction` (0 to below 1) of every group, rounded down to whole indices, the least scored first.
/// The limits hold, the request's budget is not looked at.
PruningPlan select_fraction(const PlanRequest& request, double fraction);

/// By group and width, from 0 to the ceiling: the share of its score that the group keeps at that width, 1
/// where it has none. Scores below zero count as zero. Empty for a group that cannot be pruned.
std::vector<Scores> kept_shares(const WidthSpace& space);

/// The largest number of 0 .. 1 for which the widths fit (widths grow with it), found by bisection, as those
/// widths.
Widths widest_that_fits(const WidthSpace& space, const std::function<Widths(double)>& widths_at);

}  // namespace compress
