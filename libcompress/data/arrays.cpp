#include "libcompress/data/arrays.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "libcompress/base/error.h"

namespace compress {
namespace {

/// Row `index` of an array of floats.
std::span<const float> row(const Tensor& array, std::int64_t index) {
  const auto values = array.as<float>();
  const auto width = values.size() / static_cast<std::size_t>(array.shape().front());
  return values.subspan(static_cast<std::size_t>(index) * width, width);
}

Shape without_first(const Shape& shape) { return {shape.begin() + 1, shape.end()}; }

void check_targets(Part part, const Tensor& targets) {
  constexpr float kTolerance = 1e-3f;
  for (std::int64_t i = 0; i < targets.shape().front(); ++i) {
    const auto target = row(targets, i);
    const float sum = std::accumulate(target.begin(), target.end(), 0.0f);
    const bool positive = std::all_of(target.begin(), target.end(), [](float p) { return p >= 0; });
    if (!positive || !(std::abs(sum - 1) <= kTolerance))
      throw Error(ErrorKind::input, {std::string("targets of the part ") + name_of(part),
                                     "row " + std::to_string(i) + " with the sum " + std::to_string(sum),
                                     "probabilities that sum to 1, or the number of a class", ""});
  }
}

void check(Part part, const LabelledArray& array) {
  const auto& inputs = array.inputs.shape();
  const auto& targets = array.targets.shape();
  const auto where = std::string("arrays of the part ") + name_of(part);
  if (inputs.size() < 2 || targets.size() != 2 || inputs.front() == 0 || inputs.front() != targets.front())
    throw Error(ErrorKind::input,
                {where, "inputs " + to_string(inputs) + " and targets " + to_string(targets),
                 "as many rows in both, one or more", ""});
  const auto values = array.inputs.as<float>();
  if (std::any_of(values.begin(), values.end(), [](float x) { return !std::isfinite(x); }))
    throw Error(ErrorKind::input, {where, "an input that is not finite", "finite numbers", ""});
  check_targets(part, array.targets);
}

}  // namespace

ArrayDataSet::ArrayDataSet(LabelledArray training, std::optional<LabelledArray> validation)
    : training_(std::move(training)), validation_(std::move(validation)) {
  check(Part::train, training_);
  if (validation_) {
    check(Part::validation, *validation_);
    if (without_first(validation_->inputs.shape()) != input_shape() ||
        validation_->targets.shape()[1] != target_count())
      throw Error(ErrorKind::input,
                  {"arrays of the part validation",
                   "examples " + to_string(without_first(validation_->inputs.shape())) + " of " +
                       std::to_string(validation_->targets.shape()[1]) + " classes",
                   "as in the part train", ""});
  }
  for (std::int64_t i = 0; i < target_count(); ++i) class_names_.push_back(std::to_string(i));
}

Shape ArrayDataSet::input_shape() const { return without_first(training_.inputs.shape()); }

std::int64_t ArrayDataSet::size(Part part) const {
  if (part == Part::test || (part == Part::validation && !validation_)) return 0;
  return of(part).inputs.shape().front();
}

void ArrayDataSet::training_example(std::int64_t index, Random&, std::span<float> input,
                                    std::span<float> target) const {
  std::ranges::copy(row(training_.inputs, index), input.begin());
  std::ranges::copy(row(training_.targets, index), target.begin());
}

std::int64_t ArrayDataSet::evaluation_views(Part part, std::int64_t index, std::span<float> views) const {
  assert(part != Part::test);
  std::ranges::copy(row(of(part).inputs, index), views.begin());
  const auto target = row(of(part).targets, index);
  return std::max_element(target.begin(), target.end()) - target.begin();
}

std::string ArrayDataSet::clip_name(Part part, std::int64_t index) const {
  return std::string(name_of(part)) + " " + std::to_string(index);
}

std::string ArrayDataSet::description() const {
  return "arrays of " + std::to_string(size(Part::train)) + " examples to train on and " +
         std::to_string(size(Part::validation)) + " to validate on";
}

}  // namespace compress
