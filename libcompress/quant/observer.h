// Observers watch the activations of one value during calibration and say which range its 8 bits shall cover.
#pragma once

#include <memory>
#include <span>

#include "libcompress/base/catalog.h"

namespace compress {

/// low <= high, both finite.
struct Range {
  float low = 0;
  float high = 0;
};

/// Plugin interface. Deterministic: the same values in the same order give the same range.
class Observer {
 public:
  virtual ~Observer() = default;

  /// A new one with the same settings that has seen nothing: each value gets its own.
  virtual std::unique_ptr<Observer> fresh() const = 0;

  /// Called once a batch with finite numbers, one or more.
  virtual void observe(std::span<const float> values) = 0;

  /// Of what was seen; called after at least one observe(). low == high if all of it was one number. Whether
  /// it holds zero does not matter: the scale is chosen so that zero is exact.
  virtual Range range() const = 0;
};

}  // namespace compress
