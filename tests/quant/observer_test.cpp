#include "libcompress/quant/observer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "libcompress/base/error.h"
#include "libcompress/base/random.h"

namespace compress {

void register_minmax(Catalog<Observer>& catalog);
void register_percentile(Catalog<Observer>& catalog);
void register_moving_average(Catalog<Observer>& catalog);
void register_mse(Catalog<Observer>& catalog);
void register_entropy(Catalog<Observer>& catalog);

namespace {

std::unique_ptr<Observer> observer(const std::string& name,
                                   const std::map<std::string, OptionValue>& options = {}) {
  Catalog<Observer> catalog("observer");
  register_minmax(catalog);
  register_percentile(catalog);
  register_moving_average(catalog);
  register_mse(catalog);
  register_entropy(catalog);
  return catalog.make(name, options);
}

TEST(MinMaxObserver, sees_the_extremes_of_all_batches) {
  const auto minmax = observer("minmax");
  minmax->observe(std::vector<float>{1, 2});
  minmax->observe(std::vector<float>{-3, 0.5f});
  EXPECT_EQ(minmax->range().low, -3);
  EXPECT_EQ(minmax->range().high, 2);
  const auto fresh = minmax->fresh();
  fresh->observe(std::vector<float>{7});
  EXPECT_EQ(fresh->range().low, 7);
}

TEST(PercentileObserver, leaves_out_rare_extremes) {
  const auto percentile = observer("percentile", {{"percentile", 99.9}});
  Random random(6);
  std::vector<float> values(100'000);
  for (auto& value : values) value = static_cast<float>(random.uniform(-1, 2));
  values[17] = 500;
  values[18] = -300;
  percentile->observe(values);
  EXPECT_NEAR(percentile->range().low, -1, 0.13);  // a cell is 512 / 4096 wide
  EXPECT_NEAR(percentile->range().high, 2, 0.13);
}

TEST(PercentileObserver, does_not_depend_on_how_the_values_come) {
  Random random(7);
  std::vector<float> values(10'000);
  for (auto& value : values) value = static_cast<float>(random.normal() * std::exp(random.normal()));
  const auto whole = observer("percentile", {{"percentile", 99.0}});
  whole->observe(values);
  const auto pieces = observer("percentile", {{"percentile", 99.0}});
  pieces->observe(std::vector<float>{0});
  for (std::size_t i = 0; i < values.size(); i += 100) pieces->observe(std::span(values).subspan(i, 100));
  values.push_back(0);
  EXPECT_EQ(whole->range().low, pieces->range().low);
  EXPECT_EQ(whole->range().high, pieces->range().high);
}

TEST(PercentileObserver, keeps_sparse_signals_and_sees_constants) {
  const auto sparse = observer("percentile");
  std::vector<float> values(1'000'000, 0.0f);
  values[3] = 2;
  sparse->observe(values);
  EXPECT_EQ(sparse->range().low, 0);
  EXPECT_EQ(sparse->range().high, 2);
  const auto constant = observer("percentile");
  constant->observe(std::vector<float>(10, 3.5f));
  EXPECT_EQ(constant->range().low, 3.5f);
  EXPECT_EQ(constant->range().high, 3.5f);
}

TEST(PercentileObserver, refuses_a_percentile_out_of_range) {
  EXPECT_THROW(observer("percentile", {{"percentile", 101.0}}), Error);
}

TEST(MovingAverageObserver, weighs_batches_by_how_late_they_came) {
  const auto average = observer("moving_average", {{"momentum", 0.75}});
  average->observe(std::vector<float>{-1, 4});
  average->observe(std::vector<float>{-5, 8});
  EXPECT_FLOAT_EQ(average->range().low, 0.75f * -1 + 0.25f * -5);
  EXPECT_FLOAT_EQ(average->range().high, 0.75f * 4 + 0.25f * 8);
}

/// Sum of the squared errors that 8 bits over `range` make.
double squared_error(Range range, const std::vector<float>& values) {
  const double step = (static_cast<double>(range.high) - range.low) / 255;
  const double zero = std::round(-range.low / step);
  double sum = 0;
  for (const float x : values) {
    const double level = std::clamp(std::round(x / step) + zero, 0.0, 255.0);
    const double error = x - (level - zero) * step;
    sum += error * error;
  }
  return sum;
}

std::vector<float> heavy_tailed(std::size_t count, bool positive) {
  Random random(8);
  std::vector<float> values(count);
  for (auto& value : values) {
    value = static_cast<float>(random.normal() * std::exp(1.2 * random.normal()));
    if (positive && value < 0) value = 0;
  }
  return values;
}

TEST(MeanSquareObserver, finds_a_range_that_no_other_fraction_beats_by_much) {
  for (const bool positive : {false, true}) {
    const auto values = heavy_tailed(200'000, positive);
    const auto mse = observer("mse");
    mse->observe(values);
    const auto minmax = observer("minmax");
    minmax->observe(values);
    const auto whole = minmax->range();
    const double found = squared_error(mse->range(), values);
    EXPECT_LT(found, squared_error(whole, values));
    for (const float fraction : {0.9f, 0.7f, 0.5f, 0.35f, 0.25f, 0.15f})
      EXPECT_LT(found, 1.02 * squared_error({whole.low * fraction, whole.high * fraction}, values))
          << fraction;
  }
}

TEST(EntropyObserver, cuts_a_tail_and_keeps_a_uniform_range) {
  const auto values = heavy_tailed(200'000, false);
  const auto entropy = observer("entropy");
  entropy->observe(values);
  const auto largest = *std::max_element(values.begin(), values.end());
  EXPECT_LT(entropy->range().high, 0.7f * largest);
  EXPECT_GT(entropy->range().high, 1);

  Random random(9);
  std::vector<float> even(200'000);
  for (auto& value : even) value = static_cast<float>(random.uniform(-1, 1));
  const auto kept = observer("entropy");
  kept->observe(even);
  EXPECT_NEAR(kept->range().low, -1, 0.03);
  EXPECT_NEAR(kept->range().high, 1, 0.03);
}

TEST(Observers, see_constants_as_they_are) {
  for (const std::string name : {"minmax", "moving_average", "percentile", "mse", "entropy"}) {
    for (const float constant : {0.0f, 3.5f, -2.0f}) {
      const auto made = observer(name);
      made->observe(std::vector<float>(10, constant));
      EXPECT_EQ(made->range().low, constant) << name;
      EXPECT_EQ(made->range().high, constant) << name;
    }
  }
}

TEST(Observers, give_ranges_that_hold_zero_or_what_was_seen) {
  for (const std::string name : {"minmax", "moving_average", "percentile", "mse", "entropy"}) {
    const auto made = observer(name);
    made->observe(std::vector<float>{2, 2.5f, 3});
    EXPECT_LE(made->range().low, made->range().high) << name;
    EXPECT_NEAR(made->range().high, 3, 0.1) << name;
  }
}

}  // namespace
}  // namespace compress
