#include <algorithm>

#include "libcompress/analysis/shrink.h"
#include "plugins/criteria/criteria.h"
#include "plugins/criteria/weights.h"

namespace compress {
namespace {

/// LAMP (Lee et al., ICLR 2021), whose weight becomes an index here: its squared magnitude, divided by that
/// of everything in its group that is removed after it, itself included. The largest of every group scores 1,
/// so that a global ranking never empties a group before another one.
class Lamp final : public Criterion {
 public:
  std::vector<Scores> score_all(std::span<const PruningGroup> groups,
                                const ScoringContext& context) const override {
    auto all = sums_of_weights(groups, context.model, Terms::Kind::square);
    for (auto& scores : all) divide_by_survivors(scores);
    return all;
  }

 protected:
  Scores score(const PruningGroup& group, const ScoringContext& context) const override {
    return score_all({&group, 1}, context).front();
  }

 private:
  static void divide_by_survivors(Scores& scores) {
    auto order = all_indices(static_cast<std::int64_t>(scores.size()));
    const auto of = [&](std::int64_t i) -> double& { return scores[static_cast<std::size_t>(i)]; };
    // Of equal ones the later goes first, as strategies have it.
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return of(a) > of(b); });
    double survivors = 0.0;
    for (const auto i : order) {
      survivors += of(i);
      if (survivors > 0.0) of(i) /= survivors;
    }
  }
};

}  // namespace

void register_lamp(Catalog<Criterion>& catalog) {
  catalog.add("lamp", "squared magnitude as a part of what its group has left (LAMP, Lee et al., 2021)", {},
              [](const Options&) { return std::make_unique<Lamp>(); });
}

}  // namespace compress
