// A criterion says how much each index of a group matters.
#pragma once

#include <array>
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

/// By index of `axis`: the sum of `value(position)` over the slice of a tensor of that shape. Positions are
/// row-major and come in the order of memory. What criteria that sum over slices are made of: it visits every
/// weight once for each axis that can shrink, so compile it where -O3 is on.
template <typename Value>
std::vector<double> slice_sums(const Shape& shape, std::int32_t axis, Value value) {
  const auto extent = static_cast<std::size_t>(shape[static_cast<std::size_t>(axis)]);
  const auto outer = static_cast<std::size_t>(element_count({shape.begin(), shape.begin() + axis}));
  const auto inner = static_cast<std::size_t>(element_count({shape.begin() + axis + 1, shape.end()}));
  std::vector<double> sums(extent, 0.0);
  double* const sum = sums.data();
  std::size_t first = 0;
  if (inner == 1) {  // rows of one element a slice: all slices side by side
    for (std::size_t o = 0; o < outer; ++o, first += extent) {
      for (std::size_t i = 0; i < extent; ++i) sum[i] += value(first + i);
    }
    return sums;
  }
  constexpr std::size_t kLanes = 8;  // one sum would wait for each addition before the next
  for (std::size_t o = 0; o < outer; ++o) {
    for (std::size_t i = 0; i < extent; ++i) {
      double lanes[kLanes] = {};
      std::size_t k = 0;
      for (; k + kLanes <= inner; k += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += value(first + k + lane);
      }
      for (; k < inner; ++k) lanes[0] += value(first + k);
      for (const auto lane : lanes) sum[i] += lane;
      first += inner;
    }
  }
  return sums;
}

/// The sums over the slices of axis 0 and those of axis 1 in one visit: of a weight both its outputs and its
/// inputs can shrink. For a shape of rank 2 or more.
template <typename Value>
std::array<std::vector<double>, 2> row_and_column_sums(const Shape& shape, Value value) {
  const auto rows = static_cast<std::size_t>(shape[0]), columns = static_cast<std::size_t>(shape[1]);
  const auto inner = static_cast<std::size_t>(element_count({shape.begin() + 2, shape.end()}));
  std::array<std::vector<double>, 2> sums = {std::vector<double>(rows, 0.0),
                                             std::vector<double>(columns, 0.0)};
  double* const column = sums[1].data();
  constexpr std::size_t kLanes = 4;  // see slice_sums()
  std::size_t first = 0;
  for (std::size_t r = 0; r < rows; ++r) {
    double lanes[kLanes] = {};
    std::size_t c = 0;
    if (inner == 1) {
      for (; c + kLanes <= columns; c += kLanes, first += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
          const double each = value(first + lane);
          column[c + lane] += each;
          lanes[lane] += each;
        }
      }
    }
    for (; c < columns; ++c) {
      double each = 0.0;
      for (std::size_t k = 0; k < inner; ++k) each += value(first++);
      column[c] += each;
      lanes[c % kLanes] += each;
    }
    sums[0][r] = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  }
  return sums;
}

/// Adds what each index of an axis is worth to the group's indices that it goes with.
void credit(const GroupMember& member, std::span<const double> by_index, Scores& scores);

}  // namespace compress
