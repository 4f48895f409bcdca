// Post-training quantization: fold, watch the activations on calibration inputs, lower to 8 bits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "libcompress/base/progress.h"
#include "libcompress/graph/graph.h"
#include "libcompress/quant/lower.h"
#include "libcompress/quant/mixed_widths.h"
#include "libcompress/quant/observer.h"
#include "libcompress/quant/quantized_graph.h"
#include "libcompress/quant/weight_repair.h"

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

/// Another observer for values whose node's name matches.
struct ObserverRule {
  std::string pattern;  ///< * and ? as in a shell
  std::shared_ptr<const Observer> observer;
};

struct Calibration {
  CalibrationSource& inputs;
  const Observer& observer;  ///< each value gets a fresh() one
  Reporter& reporter = silent_reporter();
  /// Of rules that match the same value the last counts. They match by the name of the input, of the node
  /// that makes the value, or of the node before it whose relu that node is.
  std::vector<ObserverRule> rules{};
};

/// Runs `folded` on the calibration inputs. Error of kind input if there are none, or naming the first node
/// whose result is not finite; of kind usage for a rule that matches nothing; of kind interrupted between
/// batches.
ValueRanges calibrate(const Model& folded, const Calibration& calibration);

/// How weights become 8 bits.
struct QuantizeSettings {
  std::string profile = "litert";
  std::vector<std::string> one_scale{};  ///< patterns of nodes whose weights share one scale
  bool equalize = false;                 ///< before calibration: equalize.h
  WeightRepairs repairs{};               ///< after it: weight_repair.h
  WidthRequest int16{};                  ///< at last: mixed_widths.h, on the first kWidthInputs examples
};

/// What quantization gives.
struct Quantization {
  Model folded;        ///< the float network that `graph` stands for, value by value; equalized, not repaired
  ValueRanges ranges;  ///< of its values
  QuantizedGraph graph;
  NodeNames wide{};                     ///< nodes whose activations have 16 bits
  std::optional<WidthSearch> search{};  ///< where an SQNR was wanted
};

/// Examples of the calibration that a search for 16-bit nodes looks at.
constexpr std::int64_t kWidthInputs = 32;

/// fold(), equalize(), calibrate(), repair_weights(), lower(), choose_widths(). Error of kind usage for a
/// pattern that matches no node with weights.
Quantization post_training(const Model& model, const Calibration& calibration,
                           const QuantizeSettings& settings = {});

/// `made` with other weights, of the same names and shapes as its folded model's, in the same ranges.
Quantization with_weights(Quantization made, StateDict weights, const QuantizeSettings& settings = {});

/// The graph of post_training().
QuantizedGraph quantize(const Model& model, const Calibration& calibration,
                        const std::string& profile = "litert");

}  // namespace compress
