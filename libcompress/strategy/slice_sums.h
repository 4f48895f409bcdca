// Sums over the slices of tensors: what most criteria are made of.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "libcompress/graph/graph.h"
#include "libcompress/strategy/criterion.h"

namespace compress {

/// The terms of a sum: one for each element of a tensor, row-major.
struct Terms {
  enum class Kind {
    absolute,          ///< |a|
    square,            ///< a * a
    product,           ///< a * b: of a weight and its gradient
    absolute_product,  ///< |a * b|
  };
  Kind kind = Kind::absolute;
  std::span<const float> a;
  std::span<const float> b = {};  ///< for products, as many as `a`
};

/// By index of `axis`: the sum of the terms of that slice of a tensor of `shape`, in double.
std::vector<double> slice_sums(const Shape& shape, std::int32_t axis, const Terms& terms);

/// Slice sums of many axes, where each tensor is read once for its axes 0 and 1: of a weight both its outputs
/// and its inputs can shrink.
class SliceSums {
 public:
  /// `terms_of` is asked once for a value; no terms (an empty `a`) mean that it does not count.
  explicit SliceSums(std::function<Terms(const Value&)> terms_of) : terms_of_(std::move(terms_of)) {}

  /// By index of the axis; empty where the value does not count. Valid as long as this object.
  std::span<const double> of(const Value& value, std::int32_t axis);

 private:
  std::function<Terms(const Value&)> terms_of_;
  std::map<Axis, std::vector<double>> known_;
};

/// By group: what `sums` has of each axis, credited to the indices that it goes with.
std::vector<Scores> sums_of_groups(std::span<const PruningGroup> groups, const Graph& graph, SliceSums& sums);

}  // namespace compress
