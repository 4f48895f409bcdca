// A data set of examples that are in memory already, as a caller of the library hands them in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libcompress/data/dataset.h"

namespace compress {

/// As many rows in both, one or more.
struct LabelledArray {
  Tensor inputs;   ///< float32 [count, input shape...]
  Tensor targets;  ///< float32 [count, classes], each row probabilities that sum to 1
};

/// Each row is a clip with one view, and is trained on as it is. There is no test part. Error of kind input
/// naming the part and the row for shapes that do not agree, a number that is not finite, or a target that is
/// no probabilities.
class ArrayDataSet final : public DataSet {
 public:
  ArrayDataSet(LabelledArray training, std::optional<LabelledArray> validation);

  Shape input_shape() const override;
  const std::vector<std::string>& class_names() const override { return class_names_; }
  std::int64_t target_count() const override { return training_.targets.shape()[1]; }
  std::int64_t size(Part part) const override;
  void training_example(std::int64_t index, Random& random, std::span<float> input,
                        std::span<float> target) const override;
  std::int64_t view_count() const override { return 1; }
  std::int64_t evaluation_views(Part part, std::int64_t index, std::span<float> views) const override;
  std::string clip_name(Part part, std::int64_t index) const override;
  std::string description() const override;

 private:
  const LabelledArray& of(Part part) const { return part == Part::validation ? *validation_ : training_; }

  LabelledArray training_;
  std::optional<LabelledArray> validation_;
  std::vector<std::string> class_names_;  ///< their numbers
};

}  // namespace compress
