#include "libcompress/base/random.h"

#include "plugins/criteria/criteria.h"

namespace compress {
namespace {

/// Uniform numbers from the seed: the control that a criterion has to beat.
class RandomScores final : public Criterion {
 public:
  std::vector<Scores> score_all(std::span<const PruningGroup> groups,
                                const ScoringContext& context) const override {
    std::vector<Scores> all;
    for (const auto& group : groups) {
      auto random = Random::stream(context.seed, all.size());
      auto& scores = all.emplace_back(static_cast<std::size_t>(group.size));
      for (auto& score : scores) score = random.uniform();
    }
    return all;
  }

 protected:
  Scores score(const PruningGroup& group, const ScoringContext& context) const override {
    return score_all({&group, 1}, context).front();
  }
};

}  // namespace

void register_random(Catalog<Criterion>& catalog) {
  catalog.add("random", "uniform random numbers from the seed: the control for all others", {},
              [](const Options&) { return std::make_unique<RandomScores>(); });
}

}  // namespace compress
