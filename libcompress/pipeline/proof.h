// The proofs that a run leaves: that surgery changed nothing but what it removed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "libcompress/analysis/groups.h"
#include "libcompress/import/model_source.h"
#include "libcompress/report/report.h"
#include "libcompress/strategy/plan.h"

namespace compress {

/// A tensor for each input of a graph, [batch, ...].
using Inputs = std::vector<Tensor>;

/// Normally distributed ones of the declared batch.
Inputs random_inputs(const Graph& graph, Random& random);

/// `examples`, [count, input shape...], as inputs of a graph that has one.
Inputs as_inputs(const Graph& graph, std::span<const float> examples);

/// Largest difference of two networks' outputs on the same inputs, as a fraction of the largest element of
/// that output. A softmax at the end is left out: it would flatten differences of confident answers. Inputs
/// as a trained network meets them are worth more than random ones: noise can leave it dead and any two such
/// networks equal.
struct Difference {
  double relative = 0;
  std::int64_t inputs = 0;  ///< examples
};

Difference difference_of(const Model& a, const Model& b, std::span<const Inputs> draws);

/// Differences up to this are float32 rounding: sums of fewer terms are added in another order.
constexpr double kTwinTolerance = 5e-6;

/// `pruned` (before any training) against `model` with the removed channels zeroed; indices of spatial
/// groups, for which no such twin exists, are left in on both sides. For those: against the network that
/// `family` builds from the pruned widths; without a family (nullptr) that check is skipped.
std::vector<Check> prove_surgery(const std::string& step, const Model& model,
                                 std::span<const PruningGroup> groups, const PruningPlan& plan,
                                 const Model& pruned, const ModelSource* family,
                                 std::span<const Inputs> draws);

/// Error of kind accuracy for the first check that failed; `where` says of whom and what follows: "proof
/// failed, nothing written". One that was skipped says why itself and passes.
void refuse_unproved(const std::string& where, std::span<const Check> checks);

}  // namespace compress
