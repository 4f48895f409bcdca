// A criterion says how much each index of a group matters.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "libcompress/analysis/groups.h"
#include "libcompress/base/catalog.h"
#include "libcompress/graph/graph.h"

namespace compress {

/// Gradients of the loss for criteria that need them; the train room implements it on LibTorch.
class GradientSource {
 public:
  virtual ~GradientSource() = default;

  /// Calls `use` once a batch of training data with the gradient of the mean loss for every parameter (by
  /// name, float32, the parameter's shape). The network does not change.
  virtual void for_each_batch(const std::function<void(const StateDict& gradients)>& use) = 0;
};

struct ScoringContext {
  const Model& model;
  std::uint64_t seed = 0;
  GradientSource* gradients =
      nullptr;  ///< nullptr where there is no data: a criterion that needs them throws
};

/// One score per index of a group; higher matters more. Finite and comparable between the indices of one
/// group.
using Scores = std::vector<double>;

/// Plugin interface.
class Criterion {
 public:
  virtual ~Criterion() = default;

  /// Whether score() reads `context.gradients`; `plan` without data then refuses early.
  virtual bool needs_gradients() const { return false; }

  /// Scores of every group, in order. Most criteria implement score() below and leave this.
  virtual std::vector<Scores> score_all(std::span<const PruningGroup> groups,
                                        const ScoringContext& context) const;

 protected:
  /// One score per index of `group`, summed over every coupled slice.
  virtual Scores score(const PruningGroup& group, const ScoringContext& context) const = 0;
};

/// By index of the axis: the group's index that it goes with, or -1.
std::vector<std::int64_t> owners(const GroupMember& member, std::int64_t extent);

/// Calls `use(index, first, count)` for each run of elements that a member's index covers, in the order of
/// memory: the walk that sums over coupled slices. `first` is a row-major position.
template <typename Use>
void for_each_run(const GroupMember& member, const Shape& shape, Use use) {
  const auto axis = member.axis.dimension;
  const auto extent = shape[static_cast<std::size_t>(axis)];
  const auto outer = element_count({shape.begin(), shape.begin() + axis});
  const auto inner = element_count({shape.begin() + axis + 1, shape.end()});
  const auto index_of_group = owners(member, extent);
  std::int64_t first = 0;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < extent; ++i, first += inner) {
      const auto index = index_of_group[static_cast<std::size_t>(i)];
      if (index >= 0)
        use(static_cast<std::size_t>(index), static_cast<std::size_t>(first),
            static_cast<std::size_t>(inner));
    }
  }
}

}  // namespace compress
