#include "libcompress/data/arrays.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "libcompress/base/error.h"

namespace compress {
namespace {

LabelledArray two_examples(const std::vector<float>& targets = {0, 1, 1, 0}) {
  return {Tensor::of({2, 1, 3}, std::vector<float>{1, 2, 3, 4, 5, 6}), Tensor::of({2, 2}, targets)};
}

std::string error_of(LabelledArray training, std::optional<LabelledArray> validation = {}) {
  try {
    const ArrayDataSet data(std::move(training), std::move(validation));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ArrayDataSet, gives_rows_as_they_are) {
  const ArrayDataSet data(two_examples(), two_examples());
  EXPECT_EQ(data.input_shape(), (Shape{1, 3}));
  EXPECT_EQ(data.target_count(), 2);
  Random random(1);
  std::vector<float> input(3), target(2);
  data.training_example(1, random, input, target);
  EXPECT_EQ(input, (std::vector<float>{4, 5, 6}));
  EXPECT_EQ(target, (std::vector<float>{1, 0}));
  EXPECT_EQ(data.evaluation_views(Part::validation, 0, input), 1);
  EXPECT_EQ(input, (std::vector<float>{1, 2, 3}));
}

TEST(ArrayDataSet, has_no_test_part_and_validates_only_on_what_it_is_given) {
  const ArrayDataSet data(two_examples(), std::nullopt);
  EXPECT_EQ(data.size(Part::train), 2);
  EXPECT_EQ(data.size(Part::validation), 0);
  EXPECT_EQ(data.size(Part::test), 0);
}

TEST(ArrayDataSet, refuses_what_cannot_be_trained_on) {
  using testing::HasSubstr;
  EXPECT_THAT(error_of(two_examples({0, 1, 0.5f, 0})), HasSubstr("row 1"));
  EXPECT_THAT(error_of(two_examples({-1, 2, 0, 1})), HasSubstr("row 0"));
  auto infinite = two_examples();
  infinite.inputs.as<float>()[4] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(error_of(infinite), HasSubstr("not finite"));
  EXPECT_THAT(error_of({Tensor(DType::float32, {0, 3}), Tensor(DType::float32, {0, 2})}),
              HasSubstr("one or more"));
  EXPECT_THAT(error_of(two_examples(), LabelledArray{Tensor(DType::float32, {1, 4}),
                                                     Tensor::of({1, 2}, std::vector<float>{1, 0})}),
              HasSubstr("as in the part train"));
}

}  // namespace
}  // namespace compress
