#include "libcompress/train/trainer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <mutex>
#include <set>

#include "libcompress/base/files.h"
#include "libcompress/runtime/executor.h"
#include "libcompress/train/batches.h"
#include "libcompress/train/evaluate.h"
#include "libcompress/train/schedule.h"
#include "tests/train/tiny.h"

namespace compress {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TrainOptions quick(std::int64_t epochs) {
  TrainOptions options;
  options.epochs = epochs;
  options.batch_size = 16;
  options.learning_rate = 0.1;
  options.weight_decay = 1e-4;
  options.milestones = {0.6, 0.9};
  return options;
}

/// Asks to stop after `steps` progress reports.
class Impatient final : public Reporter {
 public:
  explicit Impatient(int steps) : left_(steps) {}
  void progress(std::string_view, std::int64_t, std::int64_t, std::string_view) override { --left_; }
  bool stop_requested() override { return left_ <= 0; }
  void message(Severity, std::string_view text) override { messages.emplace_back(text); }
  std::vector<std::string> messages;

 private:
  int left_;
};

/// A folder that goes with the test.
class Training : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(testing::TempDir()) / (std::string("libcompress_train_") + info->name());
    std::filesystem::remove_all(folder_);
    use_threads(1);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Stops after `steps` steps and leaves its state in state().
  void train_and_stop(const Model& model, const DataSet& data, TrainJob job, int steps) {
    Impatient reporter(steps);
    job.state_file = state();
    job.reporter = &reporter;
    try {
      train(model, data, job);
      FAIL() << "not stopped";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::interrupted);
    }
    ASSERT_TRUE(std::filesystem::exists(state()));
  }

  std::filesystem::path state() const { return folder_ / "state.safetensors"; }
  std::filesystem::path folder_;
};

TEST_F(Training, learns_a_small_set) {
  const tiny::Waves data;
  const auto result = train(tiny::network(), data, {.options = quick(30), .seed = 1});
  EXPECT_EQ(result.history.size(), 30U);
  EXPECT_LT(result.history.back().train_loss, 0.25 * result.history.front().train_loss);
  EXPECT_GE(evaluate(result.model, data, Part::test).accuracy(), 0.9);
}

TEST_F(Training, learns_from_logits_as_from_probabilities) {
  const tiny::Waves data;
  const auto with = train(tiny::network(true), data, {.options = quick(2), .seed = 1});
  const auto without = train(tiny::network(false), data, {.options = quick(2), .seed = 1});
  EXPECT_TRUE(tiny::same_bits(with.model.weights, without.model.weights));
  EXPECT_EQ(with.history.back().validation_loss.has_value(), true);
  EXPECT_NEAR(*with.history.back().validation_loss, *without.history.back().validation_loss, 1e-6);
}

TEST_F(Training, gives_the_same_bits_twice_and_leaves_its_input_alone) {
  const tiny::Waves data;
  const auto model = tiny::network();
  const auto first = train(model, data, {.options = quick(3), .seed = 5});
  EXPECT_TRUE(tiny::same_bits(model.weights, tiny::network().weights));
  const auto second = train(model, data, {.options = quick(3), .seed = 5});
  EXPECT_TRUE(tiny::same_bits(first.model.weights, second.model.weights));
  const auto other = train(model, data, {.options = quick(3), .seed = 6});
  EXPECT_FALSE(tiny::same_bits(first.model.weights, other.model.weights));
}

TEST_F(Training, resumed_anywhere_equals_uninterrupted_bit_for_bit) {
  const tiny::Waves data;
  const auto model = tiny::network();
  const TrainJob job{.options = quick(4), .seed = 3};
  const auto whole = train(model, data, job);
  for (const int steps : {1, 3, 5, 11}) {  // three steps an epoch
    std::filesystem::remove(state());
    train_and_stop(model, data, job, steps);
    auto rest = job;
    rest.state_file = state();
    const auto resumed = train(model, data, rest);
    EXPECT_TRUE(tiny::same_bits(whole.model.weights, resumed.model.weights)) << steps;
    EXPECT_EQ(whole.best_epoch, resumed.best_epoch);
    ASSERT_EQ(whole.history.size(), resumed.history.size());
    for (std::size_t i = 0; i < whole.history.size(); ++i)
      EXPECT_EQ(whole.history[i].train_loss, resumed.history[i].train_loss) << steps;
  }
}

TEST_F(Training, that_has_ended_gives_its_result_again_without_a_step) {
  const tiny::Waves data;
  Impatient reporter(1000);
  int epochs = 0;
  TrainJob job{.options = quick(2), .seed = 3, .state_file = state()};
  job.on_epoch = [&](const EpochMetrics&) { ++epochs; };
  const auto first = train(tiny::network(), data, job);
  const auto second = train(tiny::network(), data, job);
  EXPECT_EQ(epochs, 2);
  EXPECT_TRUE(tiny::same_bits(first.model.weights, second.model.weights));
}

TEST_F(Training, refuses_the_state_of_another_job) {
  const tiny::Waves data;
  train_and_stop(tiny::network(), data, {.options = quick(4), .seed = 3}, 2);
  try {
    train(tiny::network(), data, {.options = quick(4), .seed = 4, .state_file = state()});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the state of another training"));
  }
}

TEST_F(Training, refuses_a_damaged_state) {
  const tiny::Waves data;
  train_and_stop(tiny::network(), data, {.options = quick(4), .seed = 3}, 2);
  auto bytes = read_bytes(state());
  bytes.resize(bytes.size() / 2);
  write_file(state(), std::span<const std::byte>(bytes));
  EXPECT_THROW(train(tiny::network(), data, {.options = quick(4), .seed = 3, .state_file = state()}), Error);
}

TEST_F(Training, warns_when_resumed_at_another_number_of_threads) {
  const tiny::Waves data;
  train_and_stop(tiny::network(), data, {.options = quick(2), .seed = 3}, 2);
  use_threads(2);
  Impatient reporter(1000);
  train(tiny::network(), data,
        {.options = quick(2), .seed = 3, .state_file = state(), .reporter = &reporter});
  EXPECT_THAT(reporter.messages, ElementsAre(HasSubstr("stopped at 1 threads and resumed at 2")));
}

TEST_F(Training, keeps_masked_weights_at_zero) {
  const tiny::Waves data;
  auto mask = tiny::filled({8, 1, 1, 7}, 1);
  for (std::size_t i = 0; i < 56; i += 3) mask.as<float>()[i] = 0;
  TrainJob job{.options = quick(3), .seed = 1};
  job.masks["conv.weight"] = mask;
  const auto result = train(tiny::network(), data, job);
  const auto& trained = result.model.weights.at("conv.weight");
  for (std::size_t i = 0; i < 56; ++i) EXPECT_EQ(trained.as<float>()[i] == 0.0F, i % 3 == 0) << i;
}

/// A teacher that knows the set, a student that starts fresh, with and without half of its channels.
struct Taught {
  tiny::Waves data;
  Model teacher = train(tiny::network(), data, {.options = quick(20), .seed = 1}).model;
  TrainJob job{.options = quick(4), .seed = 3, .distillation = Distillation{teacher, {2, 0.8}}};
};

TEST_F(Training, with_a_teacher_depends_on_what_it_teaches) {
  const Taught taught;
  const auto first = train(tiny::network(), taught.data, taught.job);
  const auto second = train(tiny::network(), taught.data, taught.job);
  EXPECT_TRUE(tiny::same_bits(first.model.weights, second.model.weights));
  auto alone = taught.job;
  alone.distillation.reset();
  EXPECT_FALSE(
      tiny::same_bits(first.model.weights, train(tiny::network(), taught.data, alone).model.weights));
  const auto untaught = tiny::network();
  auto other = taught.job;
  other.distillation.emplace(Distillation{untaught, {2, 0.8}});
  EXPECT_FALSE(
      tiny::same_bits(first.model.weights, train(tiny::network(), taught.data, other).model.weights));
}

TEST_F(Training, with_a_teacher_resumes_bit_for_bit) {
  const Taught taught;
  const auto whole = train(tiny::network(), taught.data, taught.job);
  for (const int steps : {2, 6}) {
    std::filesystem::remove(state());
    train_and_stop(tiny::network(), taught.data, taught.job, steps);
    auto rest = taught.job;
    rest.state_file = state();
    EXPECT_TRUE(tiny::same_bits(whole.model.weights, train(tiny::network(), taught.data, rest).model.weights))
        << steps;
  }
}

TEST_F(Training, refuses_the_state_of_another_teacher) {
  const Taught taught;
  train_and_stop(tiny::network(), taught.data, taught.job, 2);
  auto rest = taught.job;
  rest.state_file = state();
  const auto untaught = tiny::network();
  rest.distillation.emplace(Distillation{untaught, {2, 0.8}});
  EXPECT_THROW(train(tiny::network(), taught.data, rest), Error);
}

TEST_F(Training, refuses_a_teacher_of_other_data) {
  const tiny::Waves data;
  Model other;
  const auto input = other.graph.add_input("input", {1, 1, 1, 16});
  other.graph.set_outputs({other.graph.add_node("flatten", "flatten", {input})});
  EXPECT_THROW(train(tiny::network(), data, {.options = quick(1), .distillation = Distillation{other, {}}}),
               Error);
}

/// By channel of "conv": the sum of squares of all weights that go with it.
std::vector<double> channel_sizes(const Model& model) {
  std::vector<double> sizes(8, 0.0);
  const auto add = [&](const char* name, auto channel_of) {
    const auto values = model.weights.at(name).as<float>();
    for (std::size_t i = 0; i < values.size(); ++i)
      sizes[channel_of(i)] += static_cast<double>(values[i]) * values[i];
  };
  add("conv.weight", [](std::size_t i) { return i / 7; });
  add("norm.weight", [](std::size_t i) { return i; });
  add("norm.bias", [](std::size_t i) { return i; });
  add("linear.weight", [](std::size_t i) { return i % 8; });
  return sizes;
}

TEST_F(Training, with_a_group_lasso_empties_whole_channels) {
  const tiny::Waves data;
  const auto model = tiny::network();
  const auto groups = find_groups(model.graph);
  TrainJob job{.options = quick(60), .seed = 1};
  job.options.weight_decay = 0;
  const auto free = channel_sizes(train(model, data, job).model);
  job.penalty = ChannelPenalty{groups, 0.03};
  const auto result = train(model, data, job);
  const auto drawn = channel_sizes(result.model);
  const auto empty = [](const auto& sizes) {
    const auto largest = *std::max_element(sizes.begin(), sizes.end());
    return std::count_if(sizes.begin(), sizes.end(), [&](double size) { return size < 1e-2 * largest; });
  };
  EXPECT_EQ(empty(free), 0);
  EXPECT_GE(empty(drawn), 1);
  EXPECT_LT(empty(drawn), 8);
  EXPECT_LT(*result.history.back().penalty, *result.history.front().penalty);
  EXPECT_GE(evaluate(result.model, data, Part::test).accuracy(), 0.9);
}

TEST_F(Training, with_a_group_lasso_takes_the_last_epoch_and_resumes_bit_for_bit) {
  const tiny::Waves data;
  const auto model = tiny::network();
  const auto groups = find_groups(model.graph);
  const TrainJob job{.options = quick(4), .seed = 3, .penalty = ChannelPenalty{groups, 0.01}};
  const auto whole = train(model, data, job);
  EXPECT_EQ(whole.best_epoch, 4);
  train_and_stop(model, data, job, 5);
  auto rest = job;
  rest.state_file = state();
  const auto resumed = train(model, data, rest);
  EXPECT_TRUE(tiny::same_bits(whole.model.weights, resumed.model.weights));
  EXPECT_EQ(whole.history.front().penalty, resumed.history.front().penalty);
  rest.penalty->strength = 0.02;
  EXPECT_THROW(train(model, data, rest), Error);
}

TEST_F(Training, refuses_a_mask_for_what_is_not_trained) {
  const tiny::Waves data;
  TrainJob job{.options = quick(1)};
  job.masks["norm.mean"] = tiny::filled({8}, 1);
  EXPECT_THROW(train(tiny::network(), data, job), Error);
  job.masks = {{"conv.weight", tiny::filled({8}, 1)}};
  EXPECT_THROW(train(tiny::network(), data, job), Error);
}

TEST_F(Training, takes_the_epoch_with_the_lowest_validation_loss) {
  const tiny::Waves data;
  auto options = quick(6);
  options.learning_rate = 0.5;  // so that the loss goes up and down
  options.milestones = {};
  const auto result = train(tiny::network(), data, {.options = options, .seed = 2});
  double lowest = 1e9;
  std::int64_t best = 0;
  for (const auto& epoch : result.history) {
    if (*epoch.validation_loss < lowest) {
      lowest = *epoch.validation_loss;
      best = epoch.epoch;
    }
  }
  EXPECT_EQ(result.best_epoch, best);
  EXPECT_DOUBLE_EQ(evaluate(result.model, data, Part::validation).loss, lowest);
}

TEST_F(Training, takes_the_last_epoch_without_a_validation_part) {
  tiny::Waves data;
  data.validation = 0;
  const auto result = train(tiny::network(), data, {.options = quick(3), .seed = 2});
  EXPECT_EQ(result.best_epoch, 3);
  EXPECT_FALSE(result.history.back().validation_loss.has_value());
}

TEST_F(Training, says_when_it_diverges_and_what_to_do) {
  const tiny::Waves data;
  auto options = quick(20);
  options.learning_rate = 1e20;
  try {
    train(tiny::network(), data, {.options = options, .seed = 1});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::accuracy);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("diverged"), HasSubstr("lower learning_rate")));
  }
}

TEST_F(Training, does_not_take_broken_validation_data_for_divergence) {
  tiny::Waves data;
  data.broken_views = true;
  try {
    train(tiny::network(), data, {.options = quick(1), .seed = 1});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), HasSubstr("wave.wav: cut off"));
  }
}

TEST_F(Training, refuses_batches_of_one_for_a_norm) {
  const tiny::Waves data;
  auto options = quick(1);
  options.batch_size = 1;
  EXPECT_THROW(train(tiny::network(), data, {.options = options}), Error);
}

TEST_F(Training, refuses_data_that_does_not_fit) {
  const tiny::Waves data;
  Model other;
  const auto input = other.graph.add_input("input", {1, 1, 1, 16});
  other.graph.set_outputs({other.graph.add_node("flatten", "flatten", {input})});
  EXPECT_THROW(train(other, data, {.options = quick(1)}), Error);
}

TEST_F(Training, of_no_epochs_changes_nothing) {
  const auto result = train(tiny::network(), tiny::Waves(), {.options = quick(0)});
  EXPECT_TRUE(tiny::same_bits(result.model.weights, tiny::network().weights));
}

/// One linear weight w from one input x = 1 to two classes: everything can be worked out by hand.
class Ones final : public DataSet {
 public:
  Shape input_shape() const override { return {1}; }
  const std::vector<std::string>& class_names() const override { return names_; }
  std::int64_t target_count() const override { return 2; }
  std::int64_t size(Part part) const override { return part == Part::train ? 1 : 0; }
  void training_example(std::int64_t, Random&, std::span<float> input,
                        std::span<float> target) const override {
    input[0] = 1;
    target[0] = 1;
    target[1] = 0;
  }
  std::int64_t view_count() const override { return 1; }
  std::int64_t evaluation_views(Part, std::int64_t, std::span<float>) const override { return 0; }
  std::string clip_name(Part, std::int64_t) const override { return "one"; }
  std::string description() const override { return "ones"; }

 private:
  std::vector<std::string> names_ = {"a", "b"};
};

TEST_F(Training, follows_nesterov_momentum_and_weight_decay_as_worked_out_by_hand) {
  Model model;
  const auto input = model.graph.add_input("input", {1, 1});
  const auto weight = model.graph.add_parameter("w", {2, 1});
  model.graph.set_outputs({model.graph.add_node("linear", "linear", {input, weight})});
  model.weights["w"] = Tensor::of({2, 1}, std::vector<float>{0.3F, -0.2F});

  TrainOptions options;
  options.epochs = 3;
  options.batch_size = 4;
  options.learning_rate = 0.5;
  options.momentum = 0.9;
  options.weight_decay = 0.01;
  options.milestones = {};
  for (const bool nesterov : {true, false}) {
    options.nesterov = nesterov;
    double w[2] = {0.3, -0.2};
    double v[2] = {0, 0};
    for (int step = 0; step < 3; ++step) {
      const double p1 = 1 / (1 + std::exp(w[0] - w[1]));
      const double gradient[2] = {-p1 + 0.01 * w[0], p1 + 0.01 * w[1]};
      for (int i = 0; i < 2; ++i) {
        v[i] = 0.9 * v[i] + gradient[i];
        w[i] -= 0.5 * (nesterov ? gradient[i] + 0.9 * v[i] : v[i]);
      }
    }
    const auto result = train(model, Ones(), {.options = options});
    EXPECT_NEAR(result.model.weights.at("w").as<float>()[0], w[0], 1e-5);
    EXPECT_NEAR(result.model.weights.at("w").as<float>()[1], w[1], 1e-5);
  }
}

TEST(Schedule, steps_down_at_each_milestone_after_a_slow_start) {
  TrainOptions options;
  options.epochs = 10;
  options.learning_rate = 1;
  options.warmup_epochs = 2;
  options.milestones = {0.3, 0.6, 0.9};
  std::vector<double> rates;
  for (std::int64_t epoch = 0; epoch < 10; ++epoch) rates.push_back(learning_rate_at(options, epoch));
  const auto near = [](double value) { return testing::DoubleNear(value, 1e-12); };
  EXPECT_THAT(rates, ElementsAre(near(0.1), near(0.1), near(1), near(0.1), near(0.1), near(0.1), near(0.01),
                                 near(0.01), near(0.01), near(0.001)));
}

TEST(Schedule, falls_along_a_cosine_after_a_slow_start) {
  TrainOptions options;
  options.epochs = 5;
  options.learning_rate = 2;
  options.warmup_epochs = 1;
  options.schedule = "cosine";
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 0), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 1), 2);
  EXPECT_NEAR(learning_rate_at(options, 3), 1, 1e-12);
  EXPECT_NEAR(learning_rate_at(options, 4), 1 - std::sqrt(0.5), 1e-12);
}

/// Records which examples were asked for.
class Counting final : public DataSet {
 public:
  Shape input_shape() const override { return {1, 1, 32}; }
  const std::vector<std::string>& class_names() const override { return waves_.class_names(); }
  std::int64_t target_count() const override { return 3; }
  std::int64_t size(Part) const override { return 50; }
  void training_example(std::int64_t index, Random& random, std::span<float> input,
                        std::span<float> target) const override {
    const std::lock_guard lock(guard_);
    seen.insert(index);
    waves_.training_example(index, random, input, target);
  }
  std::int64_t view_count() const override { return 1; }
  std::int64_t evaluation_views(Part, std::int64_t, std::span<float>) const override { return 0; }
  std::string clip_name(Part, std::int64_t) const override { return ""; }
  std::string description() const override { return "counting"; }

  mutable std::multiset<std::int64_t> seen;

 private:
  tiny::Waves waves_;
  mutable std::mutex guard_;
};

TEST(TrainingBatches, take_every_example_once_in_batches_of_nearly_equal_size) {
  const Counting data;
  const TrainingBatches batches(data, 16, 1);
  std::vector<std::int64_t> sizes;
  for (std::int64_t i = 0; i < batches.count(); ++i) sizes.push_back(batches.make(0, i).count);
  EXPECT_THAT(sizes, ElementsAre(12, 13, 12, 13));
  EXPECT_EQ(data.seen.size(), 50U);
  EXPECT_EQ(std::set<std::int64_t>(data.seen.begin(), data.seen.end()).size(), 50U);
}

TEST(TrainingBatches, are_the_same_again_and_others_in_the_next_epoch) {
  const tiny::Waves data;
  const TrainingBatches batches(data, 16, 1);
  EXPECT_EQ(batches.make(0, 1).inputs, TrainingBatches(data, 16, 1).make(0, 1).inputs);
  EXPECT_NE(batches.make(0, 1).inputs, batches.make(1, 1).inputs);
}

}  // namespace
}  // namespace compress
