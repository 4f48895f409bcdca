#include "plugins/criteria/activations.h"

#include <fmt/format.h>

#include "libcompress/base/error.h"

namespace compress {
namespace {

void add_example(const GroupTap& tap, std::span<const float> changes, Weighting weighting, Changes& sums) {
  const auto factor = weighting == Weighting::mean ? 1.0 / static_cast<double>(tap.elements) : 1.0;
  for (std::size_t i = 0; i < tap.indices.size(); ++i) {
    const auto [group, index] = tap.indices[i];
    if (group < 0) continue;
    sums[static_cast<std::size_t>(group)][static_cast<std::size_t>(index)] +=
        factor * static_cast<double>(changes[i]);
  }
}

}  // namespace

std::vector<Scores> zeros(std::span<const PruningGroup> groups) {
  std::vector<Scores> all;
  for (const auto& group : groups) all.emplace_back(static_cast<std::size_t>(group.size), 0.0);
  return all;
}

void add_terms(std::vector<Scores>& totals, const Changes& changes, double (*term)(double change)) {
  for (std::size_t g = 0; g < totals.size(); ++g) {
    for (std::size_t i = 0; i < totals[g].size(); ++i) totals[g][i] += term(changes[g][i]);
  }
}

void scale(std::vector<Scores>& totals, double factor) {
  for (auto& scores : totals) {
    for (auto& score : scores) score *= factor;
  }
}

std::vector<Scores> mean_over_examples(std::span<const PruningGroup> groups, const ScoringContext& context,
                                       std::span<const GroupTap> taps, Weighting weighting,
                                       std::string_view criterion, double (*term)(double change)) {
  auto totals = zeros(groups);
  std::int64_t examples = 0;
  for_each_example(groups, context, taps, weighting, criterion, [&](const Changes& changes) {
    ++examples;
    add_terms(totals, changes, term);
  });
  scale(totals, 1.0 / static_cast<double>(examples));
  return totals;
}

GradientSource& gradients_for(std::string_view criterion, const ScoringContext& context) {
  if (!context.gradients)
    throw Error(ErrorKind::usage, {fmt::format("criterion '{}'", criterion), "no training data", "a data set",
                                   "name one, or take a criterion that needs none ('magnitude')"});
  return *context.gradients;
}

void check_seen(std::string_view criterion, std::int64_t batches) {
  if (batches == 0)
    throw Error(ErrorKind::input,
                {fmt::format("criterion '{}'", criterion), "no batch of training data", "at least one", ""});
}

void for_each_example(std::span<const PruningGroup> groups, const ScoringContext& context,
                      std::span<const GroupTap> taps, Weighting weighting, std::string_view criterion,
                      const std::function<void(const Changes& changes)>& use) {
  std::vector<Tap> plain;
  for (const auto& each : taps) plain.push_back(each.tap);
  std::int64_t batches = 0;
  gradients_for(criterion, context).for_each_tapped_batch(plain, [&](std::span<const Tensor> changes) {
    ++batches;
    const auto examples = changes.empty() ? 0 : changes.front().shape().front();
    for (std::int64_t n = 0; n < examples; ++n) {
      auto sums = zeros(groups);
      for (std::size_t t = 0; t < taps.size(); ++t) {
        const auto extent = taps[t].indices.size();
        add_example(taps[t], changes[t].as<float>().subspan(static_cast<std::size_t>(n) * extent, extent),
                    weighting, sums);
      }
      use(sums);
    }
  });
  check_seen(criterion, batches);
}

}  // namespace compress
