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

/// An axis of an activation where it comes into a node or out of it.
struct Tap {
  static constexpr std::int32_t kOutput = -1;

  NodeId node{};
  std::int32_t operand = kOutput;  ///< which of the node's inputs, or its output
  std::int32_t axis = 1;

  bool is_output() const { return operand == kOutput; }
};

/// Gradients of the loss for criteria that need them; the train room implements it on LibTorch.
class GradientSource {
 public:
  virtual ~GradientSource() = default;

  /// Calls `use` once a batch of training data with the gradient of the mean loss for every parameter (by
  /// name, float32, the parameter's shape). The network does not change.
  virtual void for_each_batch(const std::function<void(const StateDict& gradients)>& use) = 0;

  /// Calls `use` once a batch of training data with a tensor for each tap, [examples, extent of the axis],
  /// float32: z * dL/dz, summed over all elements z of that index, L being the example's own loss. To first
  /// order -that is by what L changes when the index is zero for whom the tap is: of an operand for this node
  /// alone, of an output for all who read it. Error of kind usage for a source that cannot tell.
  virtual void for_each_tapped_batch(std::span<const Tap> taps,
                                     const std::function<void(std::span<const Tensor> changes)>& use);
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

/// Adds what each index of an axis is worth to the group's indices that it goes with. Where the axis does not
/// count (an empty `by_index`) nothing is added. strategy/slice_sums.h makes such lists.
void credit(const GroupMember& member, std::span<const double> by_index, Scores& scores);

}  // namespace compress
