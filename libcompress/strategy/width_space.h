// The widths that a plan may choose from, and what each choice costs: what strategies search in.
//
// Invariants
// 1. A choice is one width a group; the kept indices are the best scored ones, of equals the lower ones.
// 2. Widths are allowed ones: multiples of round_to or the full width, between the group's floor and ceiling.
// 3. Wider groups never cost less, so that bisection finds the edge of the budget.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "libcompress/analysis/shrink.h"
#include "libcompress/strategy/strategy.h"

namespace compress {

/// By group, in the order of find_groups(). A group that cannot be pruned has its full width.
using Widths = std::vector<std::int64_t>;

/// Borrows the request.
class WidthSpace {
 public:
  /// Errors of kind plugin for scores that are missing or not finite, of kind budget for a bound below 1, of
  /// kind recipe for a ratio whose pattern matches no group that may be pruned.
  explicit WidthSpace(const PlanRequest& request) : WidthSpace(request, request.limits) {}
  WidthSpace(const PlanRequest& request, const WidthLimits& limits);

  std::size_t size() const { return groups_.size(); }
  const PruningGroup& group(std::size_t g) const { return groups_[g]; }

  /// As the criterion gave it, of group g's index of that rank, 0 for the best.
  double score(std::size_t g, std::int64_t rank) const { return scores_[g][static_cast<std::size_t>(rank)]; }

  /// The least allowed width at or above `width`, the ceiling at most.
  std::int64_t allowed(std::size_t g, std::int64_t width) const;
  std::int64_t wider(std::size_t g, std::int64_t width) const { return allowed(g, width + 1); }
  /// The next allowed width below, or `width` itself at the floor.
  std::int64_t narrower(std::size_t g, std::int64_t width) const;

  const Widths& floors() const { return floors_; }
  const Widths& ceilings() const { return ceilings_; }

  NetworkCost cost(const Widths& widths) const;

  /// The bound that is used most, as a fraction of it; above 1 the budget is broken.
  struct Use {
    double fraction = 0.0;
    Bound bound;
    std::int64_t amount = 0;  ///< of the bound's resource
  };
  Use tightest(const Widths& widths) const;
  double used(const Widths& widths) const { return tightest(widths).fraction; }
  bool fits(const Widths& widths) const { return used(widths) <= 1.0; }
  /// Holds the budget and is within its tolerance.
  bool lands(const Widths& widths) const;
  /// By how much the bounds are broken: each as a fraction of it, summed; 0 where the budget holds.
  double excess(const Widths& widths) const;

  PruningPlan plan(const Widths& widths) const;

 private:
  struct Predictor {
    Shrinker shrinker;
    CostModel prices;
  };
  void rank(std::size_t g, const Scores& scores);
  void limit(std::size_t g, std::int64_t unpruned);
  std::int64_t rounded_up(std::int64_t width) const;
  KeptIndices kept(const Widths& widths) const;

  std::span<const PruningGroup> groups_;
  const Budget& budget_;
  WidthLimits limits_;
  const Graph& graph_;
  std::vector<std::vector<std::int64_t>> ranking_;  ///< by group, best first
  std::vector<Scores> scores_;                      ///< by group and rank
  Widths floors_, ceilings_;
  mutable std::optional<Predictor> predictor_;  ///< a fraction is chosen without asking for costs
};

}  // namespace compress
