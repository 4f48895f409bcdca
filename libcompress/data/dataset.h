// What training, calibration and evaluation ask of a data set. No LibTorch, no network.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "libcompress/base/random.h"
#include "libcompress/graph/tensor.h"

namespace compress {

/// The parts of a data set. `validation` picks epochs, `test` is looked at once; they never overlap `train`.
enum class Part { train, validation, test };

const char* name_of(Part part);

/// A labelled data set. Implementations are plugins (folder `plugins/datasets`). Methods that are const may
/// be called from several threads at once. Errors: kind input, naming the file and what is wrong with it.
class DataSet {
 public:
  virtual ~DataSet() = default;

  /// One example without the batch axis, [channels, height, width].
  virtual Shape input_shape() const = 0;
  /// In order of the target index. A network may have more outputs than there are names here.
  virtual const std::vector<std::string>& class_names() const = 0;
  /// Length of a target vector; the network must have as many outputs.
  virtual std::int64_t target_count() const = 0;

  /// Number of clips (not crops) of the part.
  virtual std::int64_t size(Part part) const = 0;

  /// Writes one augmented training example: `input` has the elements of input_shape(), `target`
  /// target_count() probabilities that sum to 1 (between-class mixing gives two that are not 0). Depends on
  /// `index` (0 .. size(train) - 1) and the numbers drawn from `random` alone.
  virtual void training_example(std::int64_t index, Random& random, std::span<float> input,
                                std::span<float> target) const = 0;

  /// How many views (crops) a clip is evaluated with; the class is the arg max of their averaged softmax.
  virtual std::int64_t view_count() const = 0;

  /// Writes the views of clip `index` of `part`, [view_count, input_shape...], and returns its label.
  virtual std::int64_t evaluation_views(Part part, std::int64_t index, std::span<float> views) const = 0;

  /// A name for messages and the report: a file name or "dog_bark 17".
  virtual std::string clip_name(Part part, std::int64_t index) const = 0;

  /// What the data is, for the report and for cache keys: a hash or a line of parameters.
  virtual std::string description() const = 0;
};

}  // namespace compress
