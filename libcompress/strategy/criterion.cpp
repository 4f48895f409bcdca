#include "libcompress/strategy/criterion.h"

#include "libcompress/base/error.h"

namespace compress {

void GradientSource::for_each_tapped_batch(std::span<const Tap>,
                                           const std::function<void(std::span<const Tensor> changes)>&) {
  throw Error(ErrorKind::usage, {"gradients", "those of parameters only", "those of activations", ""});
}

std::vector<Scores> Criterion::score_all(std::span<const PruningGroup> groups,
                                         const ScoringContext& context) const {
  std::vector<Scores> all;
  for (const auto& group : groups) all.push_back(score(group, context));
  return all;
}

void credit(const GroupMember& member, std::span<const double> by_index, Scores& scores) {
  if (by_index.empty()) return;
  for (std::size_t i = 0; i < member.indices.size(); ++i) {
    for (const auto index : member.indices[i]) scores[i] += by_index[static_cast<std::size_t>(index)];
  }
}

}  // namespace compress
