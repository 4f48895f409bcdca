// From scores to kept indices.
//
// Invariants
// 1. A selection is one width a group; the kept indices are the best scored ones, of equals the lower ones.
// 2. Widths are allowed ones: multiples of round_to or the full width, at or above the group's floor.
// 3. Wider groups never cost less, so that bisection finds the edge of the budget.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "libcompress/analysis/shrink.h"
#include "libcompress/base/error.h"
#include "libcompress/strategy/strategy.h"

namespace compress {
namespace {

using Widths = std::vector<std::int64_t>;

constexpr std::size_t kMostExchanges = 64;  // groups that give up something in search of a better fit
constexpr int kMostSteps = 3;               // chunks that each of them gives up

void check_request(const PlanRequest& request) {
  for (const auto& bound : request.budget.bounds) {
    if (bound.amount < 1)
      throw Error(ErrorKind::budget, {fmt::format("budget on {}", name_of(bound.resource)),
                                      fmt::format("{}", bound.amount), "1 or more", ""});
  }
  if (request.scores.size() != request.groups.size())
    throw Error(ErrorKind::plugin, {"criterion", fmt::format("{} lists of scores", request.scores.size()),
                                    fmt::format("one for each of {} groups", request.groups.size()), ""});
  for (std::size_t g = 0; g < request.groups.size(); ++g) {
    const auto& group = request.groups[g];
    if (!group.prunable) continue;
    const auto& scores = request.scores[g];
    if (static_cast<std::int64_t>(scores.size()) != group.size ||
        !std::all_of(scores.begin(), scores.end(), [](double score) { return std::isfinite(score); }))
      throw Error(ErrorKind::plugin,
                  {fmt::format("criterion, group '{}'", group.name), "scores that are missing or not finite",
                   fmt::format("{} finite numbers", group.size), ""});
  }
}

/// What a search asks of a graph again and again.
struct Predictor {
  Shrinker shrinker;
  CostModel prices;

  Predictor(const Graph& graph, std::span<const PruningGroup> groups)
      : shrinker(graph, groups), prices(graph) {}
};

/// The space of selections of one request, and what each costs.
class Space {
 public:
  Space(const PlanRequest& request, const WidthLimits& limits)
      : groups_(request.groups), budget_(request.budget), limits_(limits), graph_(request.model.graph) {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      ranking_.push_back(all_indices(groups_[g].size));
      if (!groups_[g].prunable) continue;
      const auto& scores = request.scores[g];
      std::stable_sort(ranking_[g].begin(), ranking_[g].end(), [&](std::int64_t a, std::int64_t b) {
        return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
      });
    }
  }

  std::size_t size() const { return groups_.size(); }
  const PruningGroup& group(std::size_t g) const { return groups_[g]; }
  const std::vector<std::int64_t>& ranking(std::size_t g) const { return ranking_[g]; }

  /// The least allowed width at or above `width`.
  std::int64_t allowed(std::size_t g, std::int64_t width) const {
    const auto& group = groups_[g];
    if (!group.prunable) return group.size;
    const auto fraction =
        static_cast<std::int64_t>(std::ceil(limits_.min_fraction * static_cast<double>(group.size)));
    width = std::max({width, std::int64_t{1}, limits_.min_channels, group.smallest, fraction});
    const auto step = std::max<std::int64_t>(1, limits_.round_to);
    return std::min(group.size, (width + step - 1) / step * step);
  }

  std::int64_t floor(std::size_t g) const { return allowed(g, 1); }
  std::int64_t wider(std::size_t g, std::int64_t width) const { return allowed(g, width + 1); }
  /// The next allowed width below, or `width` itself at the floor.
  std::int64_t narrower(std::size_t g, std::int64_t width) const {
    const auto step = std::max<std::int64_t>(1, limits_.round_to);
    const auto below = (width - 1) / step * step;
    return below >= floor(g) && below > 0 ? below : width;
  }

  Widths full() const {
    Widths widths;
    for (const auto& group : groups_) widths.push_back(group.size);
    return widths;
  }
  Widths floors() const {
    Widths widths;
    for (std::size_t g = 0; g < size(); ++g) widths.push_back(floor(g));
    return widths;
  }

  KeptIndices kept(const Widths& widths) const {
    KeptIndices kept(size());
    for (std::size_t g = 0; g < size(); ++g) {
      kept[g].assign(ranking_[g].begin(), ranking_[g].begin() + widths[g]);
      std::sort(kept[g].begin(), kept[g].end());
    }
    return kept;
  }

  NetworkCost cost(const Widths& widths) const {
    if (!predictor_) predictor_.emplace(graph_, groups_);  // a fraction is chosen without asking for costs
    return predictor_->prices.cost(predictor_->shrinker.shrink(kept(widths)));
  }

  /// The bound that is used most, as a fraction of it; above 1 the budget is broken.
  std::pair<double, Bound> tightest(const Widths& widths) const {
    const auto priced = cost(widths);
    std::pair<double, Bound> most{0.0, {}};
    for (const auto& bound : budget_.bounds) {
      const auto used =
          static_cast<double>(amount_of(bound.resource, priced)) / static_cast<double>(bound.amount);
      if (used > most.first) most = {used, bound};
    }
    return most;
  }
  double used(const Widths& widths) const { return tightest(widths).first; }
  bool fits(const Widths& widths) const { return used(widths) <= 1.0; }
  bool lands(const Widths& widths) const {
    const auto part = used(widths);
    return part <= 1.0 && part >= 1.0 - budget_.tolerance;
  }

 private:
  std::span<const PruningGroup> groups_;
  const Budget& budget_;
  WidthLimits limits_;
  const Graph& graph_;
  mutable std::optional<Predictor> predictor_;
  std::vector<std::vector<std::int64_t>> ranking_;  ///< by group, best first
};

/// How much it is worth to have group g wider than `width`; the most worthy is given back first.
using Worth = std::function<double(std::size_t g, std::int64_t width)>;

/// Widens groups as long as the budget holds. What does not fit once never fits again, so each group is
/// dropped at its first failure. `untouched` stays as it is.
void give_back(const Space& space, const Worth& worth, Widths& widths,
               std::optional<std::size_t> untouched = {}) {
  std::vector<char> done(space.size(), 0);
  if (untouched) done[*untouched] = 1;
  while (true) {
    std::optional<std::size_t> best;
    for (std::size_t g = 0; g < space.size(); ++g) {
      if (done[g] || widths[g] == space.group(g).size) continue;
      if (!best || worth(g, widths[g]) > worth(*best, widths[*best])) best = g;
    }
    if (!best) return;
    const auto before = widths[*best];
    widths[*best] = space.wider(*best, before);
    if (!space.fits(widths)) {
      widths[*best] = before;
      done[*best] = 1;
    }
  }
}

/// Takes a little from one group so that others fit better; the least worthy group first. Keeps the best
/// find.
void exchange(const Space& space, const Worth& worth, Widths& widths) {
  std::vector<std::size_t> givers;
  for (std::size_t g = 0; g < space.size(); ++g) {
    if (space.narrower(g, widths[g]) < widths[g]) givers.push_back(g);
  }
  std::stable_sort(givers.begin(), givers.end(), [&](std::size_t a, std::size_t b) {
    return worth(a, space.narrower(a, widths[a])) < worth(b, space.narrower(b, widths[b]));
  });
  givers.resize(std::min(givers.size(), kMostExchanges));
  Widths best = widths;
  double best_used = space.used(widths);
  for (int steps = 1; steps <= kMostSteps; ++steps) {
    for (const auto giver : givers) {
      Widths trial = widths;
      for (int i = 0; i < steps; ++i) trial[giver] = space.narrower(giver, trial[giver]);
      give_back(space, worth, trial, giver);
      if (const auto used = space.used(trial); used <= 1.0 && used > best_used) {
        best = trial;
        best_used = used;
      }
      if (space.lands(best)) {
        widths = best;
        return;
      }
    }
  }
  widths = best;
}

/// Which of the user's constraints stands between the floor and the budget.
std::string holding_constraint(const PlanRequest& request) {
  const auto reaches = [&](const WidthLimits& limits) {
    const Space space(request, limits);
    return space.fits(space.floors());
  };
  WidthLimits limits = request.limits;
  limits.min_channels = 1;
  if (reaches(limits)) return fmt::format("min_channels {} holds it", request.limits.min_channels);
  limits = request.limits;
  limits.round_to = 1;
  if (reaches(limits)) return fmt::format("round_to {} holds it", request.limits.round_to);
  limits = request.limits;
  limits.min_fraction = 0.0;
  if (reaches(limits))
    return fmt::format("the least fraction {} of every group holds it", request.limits.min_fraction);
  if (reaches(WidthLimits{})) return "min_channels, round_to and the least fraction hold it together";
  std::string stuck;
  for (const auto& group : request.groups) {
    if (!group.prunable && group.reason.starts_with("ignored"))
      stuck += (stuck.empty() ? "" : ", ") + group.name;
  }
  if (!stuck.empty())
    return fmt::format("every group that may shrink is at its least width; ignored are {}", stuck);
  return "every group that may shrink is at its least width";
}

[[noreturn]] void refuse_unreachable(const PlanRequest& request, const Space& space) {
  const auto floors = space.floors();
  const auto [used, bound] = space.tightest(floors);
  const auto amount = amount_of(bound.resource, space.cost(floors));
  throw Error(ErrorKind::budget,
              {fmt::format("budget on {}", name_of(bound.resource)),
               fmt::format("{}, which cannot be reached: {}", bound.amount, holding_constraint(request)),
               fmt::format("{} or more", amount), "raise the budget or loosen that constraint"});
}

[[noreturn]] void refuse_granularity(const PlanRequest& request, const Space& space, const Widths& widths) {
  const auto [used, bound] = space.tightest(widths);
  const auto amount = amount_of(bound.resource, space.cost(widths));
  const auto held_by = request.limits.round_to > 1 ? fmt::format("round_to {}", request.limits.round_to)
                                                   : std::string("the granularity of whole channels");
  throw Error(ErrorKind::budget,
              {fmt::format("budget on {}", name_of(bound.resource)),
               fmt::format("{} is not reached within {:.3g} %: {} leaves {} as the nearest value below",
                           bound.amount, 100.0 * request.budget.tolerance, held_by, amount),
               fmt::format("a budget of {} or a tolerance of {:.3g} %", amount,
                           std::ceil(1000.0 * (1.0 - used)) / 10.0),
               ""});
}

PruningPlan as_plan(const PlanRequest& request, const Space& space, const Widths& widths) {
  auto plan = full_plan(request.model.graph, request.groups);
  const auto kept = space.kept(widths);
  std::size_t next = 0;
  for (std::size_t g = 0; g < space.size(); ++g) {
    if (space.group(g).prunable) plan.groups[next++].kept = kept[g];
  }
  return plan;
}

/// The frame of both selections: `narrow` finds widths that fit, `worth` says what to give back first.
PruningPlan select(const PlanRequest& request, const std::function<Widths(const Space&)>& narrow,
                   const std::function<Worth(const Space&)>& worth_in) {
  check_request(request);
  const Space space(request, request.limits);
  if (space.fits(space.full())) return full_plan(request.model.graph, request.groups);
  if (!space.fits(space.floors())) refuse_unreachable(request, space);
  const auto worth = worth_in(space);
  auto widths = narrow(space);
  give_back(space, worth, widths);
  if (!space.lands(widths)) exchange(space, worth, widths);
  if (!space.lands(widths)) refuse_granularity(request, space, widths);
  return as_plan(request, space, widths);
}

/// Divided by the mean of the group; a group without any score (all zero) is worth nothing.
std::vector<Scores> normalized(const PlanRequest& request) {
  std::vector<Scores> all(request.scores.begin(), request.scores.end());
  for (auto& scores : all) {
    const auto sum = std::accumulate(scores.begin(), scores.end(), 0.0,
                                     [](double total, double score) { return total + std::abs(score); });
    if (sum <= 0.0) continue;
    for (auto& score : scores) score *= static_cast<double>(scores.size()) / sum;
  }
  return all;
}

/// The groups of all prunable indices, least worthy first.
std::vector<std::size_t> removal_order(const Space& space, const std::vector<Scores>& scores) {
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t g = 0; g < space.size(); ++g) {
    if (!space.group(g).prunable) continue;
    for (const auto score : scores[g]) order.emplace_back(score, g);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::size_t> groups;
  for (const auto& [score, g] : order) groups.push_back(g);
  return groups;
}

Widths narrow_by_rank(const Space& space, const std::vector<std::size_t>& order) {
  const auto after = [&](std::size_t removals) {
    Widths widths = space.full();
    for (std::size_t i = 0; i < removals; ++i) --widths[order[i]];
    for (std::size_t g = 0; g < space.size(); ++g) widths[g] = space.allowed(g, widths[g]);
    return widths;
  };
  std::size_t low = 0, high = order.size();  // low breaks the budget, high keeps it
  while (high - low > 1) {
    const auto middle = low + (high - low) / 2;
    (space.fits(after(middle)) ? high : low) = middle;
  }
  return after(high);
}

Widths narrow_evenly(const Space& space) {
  const auto at = [&](double fraction) {
    Widths widths = space.full();
    for (std::size_t g = 0; g < space.size(); ++g)
      widths[g] = space.allowed(g, static_cast<std::int64_t>(fraction * static_cast<double>(widths[g])));
    return widths;
  };
  double low = 0.0, high = 1.0;  // low keeps the budget, high breaks it
  for (int i = 0; i < 40; ++i) {
    const auto middle = 0.5 * (low + high);
    (space.fits(at(middle)) ? low : high) = middle;
  }
  return at(low);
}

}  // namespace

PruningPlan select_globally(const PlanRequest& request) {
  check_request(request);
  const auto scores = normalized(request);
  const auto narrow = [&](const Space& space) { return narrow_by_rank(space, removal_order(space, scores)); };
  const auto worth = [&](const Space& space) -> Worth {
    return [&](std::size_t g, std::int64_t width) {
      return scores[g][static_cast<std::size_t>(space.ranking(g)[static_cast<std::size_t>(width)])];
    };
  };
  return select(request, narrow, worth);
}

PruningPlan select_uniformly(const PlanRequest& request) {
  const auto worth = [](const Space& space) -> Worth {
    return [&space](std::size_t g, std::int64_t width) {
      return -static_cast<double>(width) / static_cast<double>(space.group(g).size);
    };
  };
  return select(request, narrow_evenly, worth);
}

PruningPlan select_fraction(const PlanRequest& request, double fraction) {
  check_request(request);
  if (!(fraction >= 0.0 && fraction < 1.0))
    throw Error(ErrorKind::usage, {"fraction to remove", fmt::format("{}", fraction), "0 to below 1", ""});
  const Space space(request, request.limits);
  Widths widths = space.full();
  for (std::size_t g = 0; g < space.size(); ++g) {
    const auto removed = static_cast<std::int64_t>(fraction * static_cast<double>(widths[g]) + 1e-9);
    widths[g] = space.allowed(g, widths[g] - removed);
  }
  return as_plan(request, space, widths);
}

}  // namespace compress
