#include "libcompress/base/random.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace compress {
namespace {

// The algorithm written down a second time, from the authors' description.
class Reference {
 public:
  explicit Reference(std::uint64_t seed) {
    for (auto& word : s_) {
      std::uint64_t z = (seed += 0x9e3779b97f4a7c15);
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      word = z ^ (z >> 31);
    }
  }
  std::uint64_t next() {
    const auto rotl = [](std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); };
    const std::uint64_t result = rotl(s_[1] * 5, 7) * 9, t = s_[1] << 17;
    s_[2] ^= s_[0], s_[3] ^= s_[1], s_[1] ^= s_[2], s_[0] ^= s_[3], s_[2] ^= t, s_[3] = rotl(s_[3], 45);
    return result;
  }

 private:
  std::uint64_t s_[4];
};

TEST(Random, starts_from_the_published_splitmix64_values) {
  // The first outputs of splitmix64 for seed 0.
  const auto state = Random(0).state();
  EXPECT_EQ(state[0], 0xe220a8397b1dcdafULL);
  EXPECT_EQ(state[1], 0x6e789e6aa1b965f4ULL);
  EXPECT_EQ(state[2], 0x06c45d188009454fULL);
}

TEST(Random, is_xoshiro256starstar) {
  for (const std::uint64_t seed : {0ULL, 1ULL, 0xffffffffffffffffULL}) {
    Random random(seed);
    Reference reference(seed);
    for (int i = 0; i < 100; ++i) ASSERT_EQ(random.bits(), reference.next());
  }
  // xoshiro256** from the state {1, 2, 3, 4}: the test vector that other implementations carry.
  Random random;
  random.set_state({1, 2, 3, 4});
  EXPECT_EQ(random.bits(), 11520U);
  EXPECT_EQ(random.bits(), 0U);
  EXPECT_EQ(random.bits(), 1509978240U);
  EXPECT_EQ(random.bits(), 1215971899390074240U);
}

TEST(Random, gives_the_same_numbers_for_the_same_seed_and_state) {
  Random random(7);
  for (int i = 0; i < 10; ++i) random.bits();
  Random copy(99);
  copy.set_state(random.state());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(random.bits(), copy.bits());
}

TEST(Random, streams_do_not_depend_on_what_was_drawn_and_differ) {
  EXPECT_EQ(Random::stream(1, 5).bits(), Random::stream(1, 5).bits());
  std::vector<std::uint64_t> firsts;
  for (std::uint64_t seed = 0; seed < 32; ++seed)
    for (std::uint64_t stream = 0; stream < 32; ++stream)
      firsts.push_back(Random::stream(seed, stream).bits());
  std::sort(firsts.begin(), firsts.end());
  EXPECT_EQ(std::adjacent_find(firsts.begin(), firsts.end()), firsts.end());
}

TEST(Random, below_is_unbiased) {
  // A bound near 2/3 of the range: taking a remainder alone would make the lower third twice as likely.
  const std::int64_t bound = 0x6000000000000000;
  Random random(3);
  int low = 0;
  const int draws = 100000;
  for (int i = 0; i < draws; ++i) low += random.below(bound) < bound / 3;
  EXPECT_NEAR(static_cast<double>(low) / draws, 1.0 / 3, 0.01);

  std::array<int, 6> counts{};
  for (int i = 0; i < 60000; ++i) ++counts[static_cast<std::size_t>(random.below(6))];
  double chi_squared = 0;
  for (const auto count : counts) chi_squared += (count - 10000.0) * (count - 10000.0) / 10000.0;
  EXPECT_LT(chi_squared, 20.5);  // the 99.9 % point at 5 degrees of freedom
  EXPECT_EQ(random.below(1), 0);
}

TEST(Random, uniform_stays_inside_and_has_the_right_mean) {
  Random random(4);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    const double value = random.uniform(-2, 6);
    ASSERT_GE(value, -2);
    ASSERT_LT(value, 6);
    sum += value;
  }
  EXPECT_NEAR(sum / 100000, 2, 0.05);
}

TEST(Random, normal_has_mean_zero_and_deviation_one) {
  Random random(5);
  double sum = 0, squares = 0;
  for (int i = 0; i < 100000; ++i) {
    const double value = random.normal();
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / 100000, 0, 0.02);
  EXPECT_NEAR(squares / 100000, 1, 0.02);
}

TEST(Random, shuffle_reaches_every_order_alike) {
  Random random(6);
  std::array<int, 6> counts{};
  for (int i = 0; i < 60000; ++i) {
    std::array<std::size_t, 3> items{0, 1, 2};
    random.shuffle(items);
    ++counts[items[0] * 2 + (items[1] > items[2] ? 1 : 0)];
  }
  for (const auto count : counts) EXPECT_NEAR(count, 10000, 400);
}

}  // namespace
}  // namespace compress
