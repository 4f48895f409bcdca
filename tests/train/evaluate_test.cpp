#include "libcompress/train/evaluate.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/train/tiny.h"

namespace compress {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Two clips of two views, [1]; the value of a view is its place.
class Places final : public DataSet {
 public:
  std::int64_t second_label = 1;

  Shape input_shape() const override { return {1}; }
  const std::vector<std::string>& class_names() const override { return names_; }
  std::int64_t target_count() const override { return 2; }
  std::int64_t size(Part part) const override { return part == Part::test ? 2 : 0; }
  void training_example(std::int64_t, Random&, std::span<float>, std::span<float>) const override {}
  std::int64_t view_count() const override { return 2; }
  std::int64_t evaluation_views(Part, std::int64_t index, std::span<float> views) const override {
    views[0] = static_cast<float>(2 * index);
    views[1] = static_cast<float>(2 * index + 1);
    return index == 0 ? 0 : second_label;
  }
  std::string clip_name(Part, std::int64_t index) const override { return "clip " + std::to_string(index); }
  std::string description() const override { return "places"; }

 private:
  std::vector<std::string> names_ = {"a", "b"};
};

/// The probabilities of each view by its value.
std::vector<float> predict(std::span<const float> views, std::int64_t count) {
  const float table[4][2] = {{0.4F, 0.6F}, {0.9F, 0.1F}, {0.8F, 0.2F}, {0.45F, 0.55F}};
  std::vector<float> all;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto* row = table[static_cast<std::size_t>(views[static_cast<std::size_t>(i)])];
    all.insert(all.end(), row, row + 2);
  }
  return all;
}

TEST(Evaluation, averages_the_views_of_a_clip_before_it_decides) {
  const auto found = evaluate_with(predict, 2, Places(), Part::test);
  // Clip 0: (0.65, 0.35), right although its first view is wrong. Clip 1: (0.625, 0.375), wrong.
  EXPECT_EQ(found.correct, 1);
  EXPECT_EQ(found.total, 2);
  EXPECT_DOUBLE_EQ(found.accuracy(), 0.5);
  EXPECT_NEAR(found.loss, -(std::log(0.65) + std::log(0.375)) / 2, 1e-6);
  EXPECT_THAT(found.predicted, ElementsAre(0, 0));
  EXPECT_THAT(found.confusion, ElementsAre(ElementsAre(1, 0), ElementsAre(1, 0)));
}

TEST(Evaluation, does_not_depend_on_the_size_of_its_batches) {
  const auto one = evaluate_with(predict, 2, Places(), Part::test, {.batch_views = 1});
  const auto all = evaluate_with(predict, 2, Places(), Part::test, {.batch_views = 100});
  EXPECT_EQ(one.loss, all.loss);
  EXPECT_EQ(one.predicted, all.predicted);
}

TEST(Evaluation, refuses_a_part_without_clips_and_a_label_without_an_output) {
  EXPECT_THROW(evaluate_with(predict, 2, Places(), Part::validation), Error);
  Places wrong;
  wrong.second_label = 2;
  try {
    evaluate_with(predict, 2, wrong, Part::test);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("clip 'clip 1': label 2"));
  }
}

TEST(Evaluation, tells_of_a_loss_that_is_no_number) {
  const auto broken = [](std::span<const float>, std::int64_t count) {
    return std::vector<float>(static_cast<std::size_t>(2 * count), std::nanf(""));
  };
  EXPECT_TRUE(std::isnan(evaluate_with(broken, 2, Places(), Part::test).loss));
}

TEST(Evaluation, passes_on_what_the_data_throws) {
  class Broken final : public DataSet {
   public:
    Shape input_shape() const override { return {1}; }
    const std::vector<std::string>& class_names() const override { return names_; }
    std::int64_t target_count() const override { return 2; }
    std::int64_t size(Part) const override { return 3; }
    void training_example(std::int64_t, Random&, std::span<float>, std::span<float>) const override {}
    std::int64_t view_count() const override { return 1; }
    std::int64_t evaluation_views(Part, std::int64_t, std::span<float>) const override {
      throw Error(ErrorKind::input, "x.wav: cut off");
    }
    std::string clip_name(Part, std::int64_t) const override { return ""; }
    std::string description() const override { return "broken"; }

   private:
    std::vector<std::string> names_;
  };
  EXPECT_THROW(evaluate_with(predict, 2, Broken(), Part::test), Error);
}

TEST(Evaluation, can_be_stopped) {
  class Stop final : public Reporter {
   public:
    bool stop_requested() override { return true; }
  } stop;
  try {
    evaluate_with(predict, 2, Places(), Part::test, {.reporter = &stop});
    FAIL() << "not stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
}

TEST(Evaluation, takes_the_scores_of_a_network_without_softmax_as_logits) {
  const tiny::Waves data;
  const auto with = evaluate(tiny::network(true), data, Part::test);
  const auto without = evaluate(tiny::network(false), data, Part::test);
  EXPECT_EQ(with.predicted, without.predicted);
  EXPECT_NEAR(with.loss, without.loss, 1e-6);
}

}  // namespace
}  // namespace compress
