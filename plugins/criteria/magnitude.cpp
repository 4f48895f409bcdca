#include <algorithm>
#include <cmath>
#include <numeric>

#include "plugins/criteria/criteria.h"
#include "plugins/criteria/weights.h"

namespace compress {
namespace {

/// By what the scores of a group are divided.
double divisor(const Scores& scores, std::string_view normalize) {
  if (normalize == "mean")
    return std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
  if (normalize == "max") return *std::max_element(scores.begin(), scores.end());
  return 1.0;
}

/// Magnitude (Li et al., ICLR 2017), over every coupled slice, as those go together.
class Magnitude final : public Criterion {
 public:
  explicit Magnitude(const Options& options)
      : norm_(options.string("norm")), normalize_(options.string("normalize")) {}

  std::vector<Scores> score_all(std::span<const PruningGroup> groups,
                                const ScoringContext& context) const override {
    auto all =
        sums_of_weights(groups, context.model, norm_ == "l1" ? Terms::Kind::absolute : Terms::Kind::square);
    for (auto& scores : all) {
      if (norm_ == "l2") {
        for (auto& score : scores) score = std::sqrt(score);
      }
      const auto by = divisor(scores, normalize_);
      if (by == 1.0 || by == 0.0) continue;  // a group of zeros stays one
      for (auto& score : scores) score /= by;
    }
    return all;
  }

 protected:
  Scores score(const PruningGroup& group, const ScoringContext& context) const override {
    return score_all({&group, 1}, context).front();
  }

 private:
  std::string norm_, normalize_;
};

}  // namespace

void register_magnitude(Catalog<Criterion>& catalog) {
  catalog.add("magnitude", "norm of the weights of every coupled slice (Li et al., 2017)",
              {{"norm",
                OptionType::string,
                "l1: sum of absolute weights; l2: root of the sum of squares; squares: without the root",
                "l2",
                {},
                {},
                {"l1", "l2", "squares"}},
               {"normalize",
                OptionType::string,
                "what the scores of a group are divided by: nothing, their mean or their largest",
                "none",
                {},
                {},
                {"none", "mean", "max"}}},
              [](const Options& options) { return std::make_unique<Magnitude>(options); });
}

}  // namespace compress
