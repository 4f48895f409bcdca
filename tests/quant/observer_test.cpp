#include "libcompress/quant/observer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "libcompress/base/error.h"
#include "libcompress/base/random.h"

namespace compress {

void register_minmax(Catalog<Observer>& catalog);
void register_percentile(Catalog<Observer>& catalog);

namespace {

std::unique_ptr<Observer> observer(const std::string& name,
                                   const std::map<std::string, OptionValue>& options = {}) {
  Catalog<Observer> catalog("observer");
  register_minmax(catalog);
  register_percentile(catalog);
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

}  // namespace
}  // namespace compress
