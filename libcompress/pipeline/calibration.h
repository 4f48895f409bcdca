// Data sets and 8-bit networks brought together.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "libcompress/data/dataset.h"
#include "libcompress/pipeline/plugins.h"
#include "libcompress/quant/quantize.h"
#include "libcompress/quant/quantized_graph.h"
#include "libcompress/recipe/recipe.h"
#include "libcompress/train/evaluate.h"
#include "libcompress/train/trainer.h"

namespace compress {

/// What `quantize` of a recipe asks for, on these inputs.
Quantization quantize_as(const QuantizeOptions& options, const Model& model, CalibrationSource& inputs,
                         const Plugins& plugins, Reporter& reporter = silent_reporter());

/// The examples that calibration looks at, [count, input shape...]: those of the file `inputs`, or views of
/// the training part if it is empty. Error of kind input if the file's shape is not the data's.
std::vector<float> calibration_inputs(const std::filesystem::path& inputs, const DataSet& data,
                                      std::int64_t samples, std::uint64_t seed);

/// Those of the file `inputs` alone, each of shape `one`, its batch left out.
std::vector<float> examples_of_file(const std::filesystem::path& inputs, const Shape& one);

/// Trains what quantize_as() made as 8 bits compute it (quantization-aware training: Jacob et al., CVPR
/// 2018), as `options.fine_tune` says, and lowers the result in the same ranges. `job` has the seed, the
/// state file and what hears of progress. With distillation it learns from `made.folded` as it is in float32.
Quantization fine_tuned(const Quantization& made, const QuantizeOptions& options, const DataSet& data,
                        TrainJob job, std::vector<EpochMetrics>* history = nullptr);

/// `count` views as an evaluation sees them, [count, input shape...]: clips of `part` in a random order, one
/// view of each drawn at random, over again if there are fewer clips. Error of kind input if the part is
/// empty.
std::vector<float> sample_views(const DataSet& data, Part part, std::int64_t count, std::uint64_t seed);

/// Error of kind input unless an example of the data has as many elements as the network takes, and the first
/// output one for each target.
void check_fit(const QuantizedGraph& graph, const DataSet& data);

/// Accuracy on the test part of whatever runs `graph`: one quantized view in, its output bytes out.
using RunInt8 = std::function<std::vector<std::int8_t>(const std::vector<std::int8_t>& input)>;
Evaluation evaluate_int8(const QuantizedGraph& graph, const RunInt8& run_view, const DataSet& data,
                         const EvaluateOptions& options);

/// Elements of weights and biases.
std::int64_t parameter_count(const QuantizedGraph& graph);

/// A data set whose test part is its first `clips` clips; all of them if `clips` is 0. Borrows `data`.
class FirstClips final : public DataSet {
 public:
  FirstClips(const DataSet& data, std::int64_t clips) : data_(data), clips_(clips) {}

  Shape input_shape() const override { return data_.input_shape(); }
  const std::vector<std::string>& class_names() const override { return data_.class_names(); }
  std::int64_t target_count() const override { return data_.target_count(); }
  std::int64_t size(Part part) const override;
  void training_example(std::int64_t index, Random& random, std::span<float> input,
                        std::span<float> target) const override {
    data_.training_example(index, random, input, target);
  }
  std::int64_t view_count() const override { return data_.view_count(); }
  std::int64_t evaluation_views(Part part, std::int64_t index, std::span<float> views) const override {
    return data_.evaluation_views(part, index, views);
  }
  std::string clip_name(Part part, std::int64_t index) const override { return data_.clip_name(part, index); }
  std::string description() const override { return data_.description(); }

 private:
  const DataSet& data_;
  std::int64_t clips_;
};

}  // namespace compress
