#include "libcompress/strategy/width_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "libcompress/base/error.h"

namespace compress {
namespace {

void check_budget(const Budget& budget) {
  for (const auto& bound : budget.bounds) {
    if (bound.amount < 1)
      throw Error(ErrorKind::budget, {fmt::format("budget on {}", name_of(bound.resource)),
                                      fmt::format("{}", bound.amount), "1 or more", ""});
  }
}

void check_scores(std::span<const PruningGroup> groups, std::span<const Scores> scores) {
  if (scores.size() != groups.size())
    throw Error(ErrorKind::plugin, {"criterion", fmt::format("{} lists of scores", scores.size()),
                                    fmt::format("one for each of {} groups", groups.size()), ""});
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (!groups[g].prunable) continue;
    if (static_cast<std::int64_t>(scores[g].size()) != groups[g].size ||
        !std::all_of(scores[g].begin(), scores[g].end(), [](double score) { return std::isfinite(score); }))
      throw Error(ErrorKind::plugin, {fmt::format("criterion, group '{}'", groups[g].name),
                                      "scores that are missing or not finite",
                                      fmt::format("{} finite numbers", groups[g].size), ""});
  }
}

void check_ratio(const WidthRatio& ratio, std::span<const PruningGroup> groups) {
  if (!(ratio.kept > 0.0 && ratio.kept <= 1.0))
    throw Error(ErrorKind::usage, {fmt::format("ratio of '{}'", ratio.pattern), fmt::format("{}", ratio.kept),
                                   "above 0 to 1", ""});
  std::vector<std::string> names;
  std::string pinned;
  for (const auto& group : groups) {
    if (group.prunable)
      names.push_back(group.name);
    else if (matches(ratio.pattern, group.name))
      pinned = group.reason;
    if (group.prunable && matches(ratio.pattern, group.name)) return;
  }
  const auto near = nearest_name(ratio.pattern, names);
  throw Error(ErrorKind::recipe,
              {fmt::format("ratio of '{}'", ratio.pattern),
               pinned.empty() ? "matches no group" : fmt::format("matches only what stays: {}", pinned),
               "names as `libcompress groups` lists them",
               near.empty() ? "" : fmt::format("did you mean '{}'?", near)});
}

}  // namespace

WidthSpace::WidthSpace(const PlanRequest& request, const WidthLimits& limits)
    : groups_(request.groups),
      budget_(request.budget),
      limits_(limits),
      graph_(request.model.graph),
      ranking_(groups_.size()),
      scores_(groups_.size()),
      floors_(groups_.size()),
      ceilings_(groups_.size()) {
  check_budget(budget_);
  check_scores(groups_, request.scores);
  for (const auto& ratio : limits_.ratios) check_ratio(ratio, groups_);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    rank(g, request.scores[g]);
    limit(g, request.unpruned.empty() ? groups_[g].size : request.unpruned[g]);
  }
}

void WidthSpace::rank(std::size_t g, const Scores& scores) {
  ranking_[g] = all_indices(groups_[g].size);
  if (!groups_[g].prunable) return;
  const auto of = [&](std::int64_t index) { return scores[static_cast<std::size_t>(index)]; };
  std::stable_sort(ranking_[g].begin(), ranking_[g].end(),
                   [&](std::int64_t a, std::int64_t b) { return of(a) > of(b); });
  for (const auto index : ranking_[g]) scores_[g].push_back(of(index));
}

void WidthSpace::limit(std::size_t g, std::int64_t unpruned) {
  const auto& group = groups_[g];
  floors_[g] = ceilings_[g] = group.size;
  if (!group.prunable) return;
  const auto part_of_it = [&](double part) { return part * static_cast<double>(unpruned); };
  const auto least = static_cast<std::int64_t>(std::ceil(part_of_it(limits_.min_fraction) - 1e-9));
  floors_[g] = std::min(group.size,
                        rounded_up(std::max({std::int64_t{1}, limits_.min_channels, group.smallest, least})));
  for (const auto& ratio : limits_.ratios) {
    if (!matches(ratio.pattern, group.name)) continue;
    const auto width = std::max<std::int64_t>(1, std::llround(part_of_it(ratio.kept)));
    ceilings_[g] = std::min(group.size, std::max(rounded_up(width), floors_[g]));
  }
  const bool has_ratio = std::any_of(limits_.ratios.begin(), limits_.ratios.end(),
                                     [&](const auto& ratio) { return matches(ratio.pattern, group.name); });
  if (has_ratio) floors_[g] = ceilings_[g];
}

std::int64_t WidthSpace::rounded_up(std::int64_t width) const {
  const auto step = std::max<std::int64_t>(1, limits_.round_to);
  return (width + step - 1) / step * step;
}

std::int64_t WidthSpace::allowed(std::size_t g, std::int64_t width) const {
  return std::min(ceilings_[g], std::max(floors_[g], rounded_up(width)));
}

std::int64_t WidthSpace::narrower(std::size_t g, std::int64_t width) const {
  const auto step = std::max<std::int64_t>(1, limits_.round_to);
  const auto below = (width - 1) / step * step;
  return below >= floors_[g] ? below : width;
}

KeptIndices WidthSpace::kept(const Widths& widths) const {
  KeptIndices kept(size());
  for (std::size_t g = 0; g < size(); ++g) {
    kept[g].assign(ranking_[g].begin(), ranking_[g].begin() + widths[g]);
    std::sort(kept[g].begin(), kept[g].end());
  }
  return kept;
}

NetworkCost WidthSpace::cost(const Widths& widths) const {
  if (!predictor_) predictor_.emplace(Predictor{Shrinker(graph_, groups_), CostModel(graph_)});
  return predictor_->prices.cost(predictor_->shrinker.shrink(kept(widths)));
}

WidthSpace::Use WidthSpace::tightest(const Widths& widths) const {
  const auto priced = cost(widths);
  Use most;
  for (const auto& bound : budget_.bounds) {
    const auto amount = amount_of(bound.resource, priced);
    const auto fraction = static_cast<double>(amount) / static_cast<double>(bound.amount);
    if (fraction > most.fraction) most = {fraction, bound, amount};
  }
  return most;
}

bool WidthSpace::lands(const Widths& widths) const {
  const auto part = used(widths);
  return part <= 1.0 && part >= 1.0 - budget_.tolerance;
}

double WidthSpace::excess(const Widths& widths) const {
  const auto priced = cost(widths);
  double sum = 0.0;
  for (const auto& bound : budget_.bounds)
    sum += std::max(
        0.0,
        static_cast<double>(amount_of(bound.resource, priced)) / static_cast<double>(bound.amount) - 1.0);
  return sum;
}

PruningPlan WidthSpace::plan(const Widths& widths) const {
  auto plan = full_plan(graph_, groups_);
  const auto indices = kept(widths);
  std::size_t next = 0;
  for (std::size_t g = 0; g < size(); ++g) {
    if (groups_[g].prunable) plan.groups[next++].kept = indices[g];
  }
  return plan;
}

}  // namespace compress
