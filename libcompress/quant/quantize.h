// Post-training quantization: fold, watch the activations on calibration inputs, lower to 8 bits.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "libcompress/base/progress.h"
#include "libcompress/graph/graph.h"
#include "libcompress/quant/lower.h"
#include "libcompress/quant/observer.h"
#include "libcompress/quant/quantized_graph.h"

namespace compress {

/// Example inputs, a batch at a time: [count, input shape without its batch...], float32, row-major.
class CalibrationSource {
 public:
  virtual ~CalibrationSource() = default;
  virtual void for_each_batch(
      const std::function<void(std::span<const float> inputs, std::int64_t count)>& use) = 0;
  /// Examples in all, for the progress.
  virtual std::int64_t size() const = 0;
};

/// Inputs in memory.
class ArraySource final : public CalibrationSource {
 public:
  /// `inputs` holds whole examples of `example_size` elements each; Error of kind usage otherwise.
  ArraySource(std::vector<float> inputs, std::int64_t example_size, std::int64_t batch = 8);
  void for_each_batch(const std::function<void(std::span<const float>, std::int64_t)>& use) override;
  std::int64_t size() const override;

 private:
  std::vector<float> inputs_;
  std::int64_t example_size_;
  std::int64_t batch_;
};

struct Calibration {
  CalibrationSource& inputs;
  const Observer& observer;  ///< each value gets a fresh() one
  Reporter& reporter = silent_reporter();
};

/// Runs `folded` on the calibration inputs. Error of kind input if there are none, or naming the first node
/// whose result is not finite; of kind interrupted between batches.
ValueRanges calibrate(const Model& folded, const Calibration& calibration);

/// fold(), calibrate(), lower().
QuantizedGraph quantize(const Model& model, const Calibration& calibration,
                        const std::string& profile = "litert");

}  // namespace compress
