#include "libcompress/strategy/select.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "libcompress/base/error.h"
#include "libcompress/strategy/landing.h"

namespace compress {
namespace {

/// Which of the user's constraints stands between the floor and the budget.
std::string holding_constraint(const PlanRequest& request) {
  const auto reaches = [&](const WidthLimits& limits) {
    const WidthSpace space(request, limits);
    return space.fits(space.floors());
  };
  WidthLimits limits = request.limits;
  limits.min_channels = 1;
  if (reaches(limits)) return fmt::format("min_channels {} holds it", request.limits.min_channels);
  limits = request.limits;
  limits.round_to = 1;
  if (reaches(limits)) return fmt::format("round_to {} holds it", request.limits.round_to);
  limits = request.limits;
  limits.ratios.clear();
  if (reaches(limits)) return "the ratios hold it";
  limits = request.limits;
  limits.min_fraction = 0.0;
  if (reaches(limits))
    return fmt::format("the least fraction {} of every group holds it", request.limits.min_fraction);
  if (reaches(WidthLimits{}))
    return "min_channels, round_to, the ratios and the least fraction hold it together";
  std::string stuck;
  for (const auto& group : request.groups) {
    if (!group.prunable && group.reason.starts_with("ignored"))
      stuck += (stuck.empty() ? "" : ", ") + group.name;
  }
  if (!stuck.empty())
    return fmt::format("every group that may shrink is at its least width; ignored are {}", stuck);
  return "every group that may shrink is at its least width";
}

[[noreturn]] void refuse_unreachable(const PlanRequest& request, const WidthSpace& space) {
  const auto least = space.tightest(space.floors());
  throw Error(
      ErrorKind::budget,
      {fmt::format("budget on {}", name_of(least.bound.resource)),
       fmt::format("{}, which cannot be reached: {}", least.bound.amount, holding_constraint(request)),
       fmt::format("{} or more", least.amount), "raise the budget or loosen that constraint"});
}

[[noreturn]] void refuse_granularity(const PlanRequest& request, const WidthSpace& space,
                                     const Widths& widths) {
  const auto [used, bound, amount] = space.tightest(widths);
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

void divide_by_mean(Scores& scores) {
  const auto sum = std::accumulate(scores.begin(), scores.end(), 0.0,
                                   [](double total, double score) { return total + std::abs(score); });
  if (sum <= 0.0) return;
  for (auto& score : scores) score *= static_cast<double>(scores.size()) / sum;
}

/// Best first. One below zero, or among zeros alone, keeps its score.
void divide_by_survivors(Scores& scores) {
  double survivors = 0.0;
  for (auto& score : scores) {
    survivors += std::max(0.0, score);
    if (score > 0.0) score /= survivors;
  }
}

/// By group and rank, falling with the rank as the scores do.
std::vector<Scores> compared(const WidthSpace& space, Comparison comparison) {
  std::vector<Scores> all(space.size());
  for (std::size_t g = 0; g < space.size(); ++g) {
    if (!space.group(g).prunable) continue;
    for (std::int64_t rank = 0; rank < space.group(g).size; ++rank) all[g].push_back(space.score(g, rank));
    if (comparison == Comparison::mean) divide_by_mean(all[g]);
    if (comparison == Comparison::survivors) divide_by_survivors(all[g]);
  }
  return all;
}

/// The groups of all indices that may go, least worthy first.
std::vector<std::size_t> removal_order(const WidthSpace& space, const Worth& worth) {
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t g = 0; g < space.size(); ++g) {
    for (auto rank = space.ceilings()[g] - 1; rank >= space.floors()[g]; --rank)
      order.emplace_back(worth(g, rank), g);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::size_t> groups;
  for (const auto& [score, g] : order) groups.push_back(g);
  return groups;
}

Widths narrow_by_rank(const WidthSpace& space, const Worth& worth) {
  const auto order = removal_order(space, worth);
  const auto after = [&](std::size_t removals) {
    Widths widths = space.ceilings();
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

/// Narrows group g until the budget holds or its floor is reached; true if it holds.
bool narrow_one(const WidthSpace& space, std::size_t g, Widths& widths) {
  while (!space.fits(widths)) {
    const auto width = space.narrower(g, widths[g]);
    if (width == widths[g]) return false;
    widths[g] = width;
  }
  return true;
}

Widths narrow_group_by_group(const WidthSpace& space, const Worth& worth) {
  Widths widths = space.ceilings();
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t g = 0; g < space.size(); ++g) {
    const auto below = space.narrower(g, widths[g]);
    if (below < widths[g]) order.emplace_back(worth(g, below), g);
  }
  std::sort(order.begin(), order.end());
  for (const auto& [value, g] : order) {
    if (narrow_one(space, g, widths)) break;
  }
  return widths;
}

}  // namespace

PruningPlan select(const PlanRequest& request, const Selector& selector) {
  const WidthSpace space(request);
  if (space.fits(space.ceilings())) return space.plan(space.ceilings());
  if (!space.fits(space.floors())) refuse_unreachable(request, space);
  const auto selection = selector(space);
  const auto widths = land(space, selection.worth, selection.narrow());
  if (!space.lands(widths)) refuse_granularity(request, space, widths);
  return space.plan(widths);
}

Selection by_rank(const WidthSpace& space, Comparison comparison) {
  const Worth worth = [scores = compared(space, comparison)](std::size_t g, std::int64_t width) {
    return scores[g][static_cast<std::size_t>(width)];
  };
  return {[&space, worth] { return narrow_by_rank(space, worth); }, worth};
}

Selection evenly(const WidthSpace& space) {
  const auto at = [&space](double fraction) {
    Widths widths = space.ceilings();
    for (std::size_t g = 0; g < space.size(); ++g)
      widths[g] = space.allowed(g, static_cast<std::int64_t>(fraction * static_cast<double>(widths[g])));
    return widths;
  };
  return {[&space, at] { return widest_that_fits(space, at); },
          [&space](std::size_t g, std::int64_t width) {
            return -static_cast<double>(width) / static_cast<double>(space.ceilings()[g]);
          }};
}

Selection one_group_at_a_time(const WidthSpace& space, Worth worth) {
  return {[&space, worth] { return narrow_group_by_group(space, worth); }, worth};
}

PruningPlan select_globally(const PlanRequest& request) {
  return select(request, [](const WidthSpace& space) { return by_rank(space); });
}

PruningPlan select_uniformly(const PlanRequest& request) { return select(request, evenly); }

PruningPlan select_fraction(const PlanRequest& request, double fraction) {
  if (!(fraction >= 0.0 && fraction < 1.0))
    throw Error(ErrorKind::usage, {"fraction to remove", fmt::format("{}", fraction), "0 to below 1", ""});
  const WidthSpace space(request);
  Widths widths = space.ceilings();
  for (std::size_t g = 0; g < space.size(); ++g) {
    const auto size = space.group(g).size;
    const auto removed = static_cast<std::int64_t>(fraction * static_cast<double>(size) + 1e-9);
    widths[g] = space.allowed(g, size - removed);
  }
  return space.plan(widths);
}

std::vector<Scores> kept_shares(const WidthSpace& space) {
  std::vector<Scores> shares(space.size());
  for (std::size_t g = 0; g < space.size(); ++g) {
    if (!space.group(g).prunable) continue;
    shares[g].push_back(0.0);
    for (std::int64_t rank = 0; rank < space.ceilings()[g]; ++rank)
      shares[g].push_back(shares[g].back() + std::max(0.0, space.score(g, rank)));
    const auto all = shares[g].back();
    for (auto& share : shares[g]) share = all > 0.0 ? share / all : 1.0;
  }
  return shares;
}

Widths widest_that_fits(const WidthSpace& space, const std::function<Widths(double)>& widths_at) {
  double low = 0.0, high = 1.0;  // low keeps the budget, high breaks it
  Widths below = widths_at(low), above = widths_at(high);
  while (below != above && high - low > 1e-12) {
    const auto middle = 0.5 * (low + high);
    auto widths = widths_at(middle);
    const bool fits = space.fits(widths);
    (fits ? low : high) = middle;
    (fits ? below : above) = std::move(widths);
  }
  return below;
}

}  // namespace compress
