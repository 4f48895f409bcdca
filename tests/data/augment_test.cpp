#include "libcompress/data/augment.h"

#include <gmock/gmock.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "libcompress/data/parallel.h"
#include "tests/data/sound_files.h"

namespace compress {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr float kUnit = 1.0F / 32768.0F;

std::vector<std::int16_t> of(Samples samples) { return {samples.begin(), samples.end()}; }

std::vector<float> cropped(const std::vector<std::int16_t>& sound, const CropWindow& window,
                           std::size_t count) {
  std::vector<float> out(count, 99.0F);
  crop(sound, window, out);
  for (auto& x : out) x *= 32768.0F;
  return out;
}

TEST(Trim, takes_zeros_off_both_ends_only) {
  const std::vector<std::int16_t> sound{0, 0, 3, 0, -1, 0};
  EXPECT_THAT(of(trimmed(sound)), ElementsAre(3, 0, -1));
  EXPECT_THAT(of(trimmed(std::vector<std::int16_t>{5})), ElementsAre(5));
  EXPECT_THAT(of(trimmed(std::vector<std::int16_t>{0, 0, 0})), IsEmpty());
  EXPECT_THAT(of(trimmed({})), IsEmpty());
}

TEST(Crop, pads_with_zeros_on_both_sides) {
  const std::vector<std::int16_t> sound{10, 20, 30};
  EXPECT_THAT(cropped(sound, {.padding = 2, .start = 0}, 7), ElementsAre(0, 0, 10, 20, 30, 0, 0));
  EXPECT_THAT(cropped(sound, {.padding = 2, .start = 3}, 3), ElementsAre(20, 30, 0));
  EXPECT_THAT(cropped(sound, {.start = -1}, 5), ElementsAre(0, 10, 20, 30, 0));
  EXPECT_THAT(cropped({}, {.padding = 2}, 3), ElementsAre(0, 0, 0));
}

TEST(Crop, stretches_by_linear_interpolation) {
  const std::vector<std::int16_t> sound{0, 10, 20, 30};
  EXPECT_THAT(cropped(sound, {.scale = 2}, 8), ElementsAre(0, 5, 10, 15, 20, 25, 30, 30));
  EXPECT_THAT(cropped(sound, {.scale = 0.5}, 3), ElementsAre(0, 20, 0));
  EXPECT_EQ(stretched_length(5, 1.25), 6);
}

TEST(Crop, of_a_stretched_sound_is_a_part_of_the_whole_stretched_sound) {
  std::vector<std::int16_t> sound;
  for (int i = 0; i < 500; ++i) sound.push_back(static_cast<std::int16_t>(i * 7919 % 30000 - 15000));
  const double scale = 1.13;
  const auto whole = cropped(sound, {.scale = scale, .padding = 40}, 645);
  const auto part = cropped(sound, {.scale = scale, .padding = 40, .start = 100}, 300);
  for (std::size_t i = 0; i < part.size(); ++i) EXPECT_EQ(part[i], whole[100 + i]);
}

TEST(Crop, starts_are_equally_spaced_and_end_inside) {
  EXPECT_THAT(crop_starts(100, 10, 10), ElementsAre(0, 10, 20, 30, 40, 50, 60, 70, 80, 90));
  EXPECT_THAT(crop_starts(105, 10, 4), ElementsAre(0, 31, 62, 93));
  EXPECT_THAT(crop_starts(101, 10, 1), ElementsAre(45));
  EXPECT_THAT(crop_starts(6, 10, 3), ElementsAre(-2, -2, -2));
}

TEST(Crop, starts_of_the_published_evaluation) {
  const auto starts = crop_starts(100000 + 2 * 15112, 30225, 10);
  EXPECT_EQ(starts[1], (130224 - 30225) / 9);
  EXPECT_LE(starts.back() + 30225, 130224);
}

TEST(RandomStart, reaches_every_place_where_the_crop_fits_and_no_other) {
  Random random(3);
  std::vector<int> seen(4, 0);
  for (int i = 0; i < 400; ++i) ++seen.at(static_cast<std::size_t>(random_start(13, 10, random)));
  for (const int count : seen) EXPECT_GT(count, 50);
  for (int i = 0; i < 100; ++i) {
    const auto start = random_start(8, 10, random);
    EXPECT_GE(start, -2);
    EXPECT_LE(start, 0);
  }
}

/// IEC 61672-1, table 3, whose nominal frequencies stand for 1000 * 10^(n / 10) Hz.
TEST(AWeighting, has_the_values_of_the_standard) {
  const std::vector<std::pair<int, double>> table{{-15, -39.4}, {-12, -26.2}, {-10, -19.1}, {-6, -8.6},
                                                  {-3, -3.2},   {0, 0.0},     {3, 1.2},     {6, 1.0},
                                                  {9, -1.1},    {12, -6.6}};
  for (const auto& [n, db] : table) {
    const double hz = 1000 * std::pow(10.0, n / 10.0);
    EXPECT_NEAR(a_weighting_db(hz), db, 0.1) << hz;
  }
}

/// gain_db as its definition says, term by term.
double slow_gain_db(std::span<const float> sound, double rate, std::size_t frame) {
  double loudest = 1e-8;
  for (std::size_t start = 0; start + frame <= sound.size(); start += frame / 2) {
    double power = 0;
    for (std::size_t bin = 0; bin <= frame / 2; ++bin) {
      std::complex<double> sum = 0;
      for (std::size_t i = 0; i < frame; ++i) {
        const double turn = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(frame);
        sum += sound[start + i] * (0.5 - 0.5 * std::cos(turn)) *
               std::polar(1.0, -turn * static_cast<double>(bin));
      }
      const double db = a_weighting_db(static_cast<double>(bin) * rate / static_cast<double>(frame));
      power += std::norm(sum) * std::pow(10.0, std::max(db, -80.0) / 10);
    }
    loudest = std::max(loudest, power);
  }
  return 10 * std::log10(loudest);
}

TEST(LoudnessMeter, agrees_with_its_definition) {
  Random random(5);
  for (const std::size_t length : {256U, 300U, 511U}) {
    std::vector<float> sound(length);
    for (std::size_t i = 0; i < length; ++i)
      sound[i] = static_cast<float>(random.normal() * 0.1 * (1 + static_cast<double>(i) / 100));
    const LoudnessMeter meter(8000, static_cast<std::int64_t>(length));
    EXPECT_EQ(meter.frame(), 256);
    EXPECT_NEAR(meter.gain_db(sound), slow_gain_db(sound, 8000, 256), 1e-3);
  }
}

TEST(LoudnessMeter, uses_every_frame_of_an_odd_count) {
  const LoudnessMeter meter(8000, 4096);
  std::vector<float> sound(4096, 0.0F);  // three frames of 2048, of which only the last hears this
  for (std::size_t i = 3300; i < 4000; ++i)
    sound[i] = 0.3F * static_cast<float>(std::sin(0.7 * static_cast<double>(i)));
  EXPECT_NEAR(meter.gain_db(sound), slow_gain_db(std::span(sound).subspan(2048), 8000, 2048), 1e-3);
}

TEST(LoudnessMeter, never_goes_below_minus_80_dB) {
  const LoudnessMeter meter(20000, 4096);
  EXPECT_DOUBLE_EQ(meter.gain_db(std::vector<float>(4096, 0.0F)), -80);
}

TEST(LoudnessMeter, hears_a_low_tone_as_softer_than_the_same_tone_at_1_kHz) {
  const LoudnessMeter meter(20000, 20000);
  const double at_1_khz = meter.gain_db(testing::tone(1000, 20000, 20000));
  const double at_100_hz = meter.gain_db(testing::tone(100, 20000, 20000));
  EXPECT_NEAR(at_100_hz - at_1_khz, -19.1, 0.3);
}

TEST(Mixing, share_of_equally_loud_sounds_is_the_ratio) {
  EXPECT_DOUBLE_EQ(mixing_share(-20, -20, 0.3), 0.3);
  EXPECT_DOUBLE_EQ(mixing_share(-20, -20, 0.0), 0.0);
}

/// By hand: 20 dB louder is 10 times the amplitude; at ratio 0.5 the loud sound gets 1 / (1 + 10) = 1 / 11.
TEST(Mixing, gives_the_louder_sound_the_smaller_share) {
  EXPECT_NEAR(mixing_share(0, -20, 0.5), 1.0 / 11, 1e-12);
  EXPECT_NEAR(mixing_share(-20, 0, 0.5), 10.0 / 11, 1e-12);
  EXPECT_NEAR(mixing_share(0, -20, 0.75), 1 / (1 + 10 * 0.25 / 0.75), 1e-12);
}

/// By hand: share 0.6 divides by sqrt(0.36 + 0.16) = 0.72111: (0.6 * 1 + 0.4 * -2) / 0.72111 = -0.27735.
TEST(Mixing, adds_and_keeps_the_energy) {
  std::vector<float> first{1.0F, 0.0F};
  mix_into(first, std::vector<float>{-2.0F, 1.0F}, 0.6);
  EXPECT_NEAR(first[0], -0.27735, 1e-5);
  EXPECT_NEAR(first[1], 0.55470, 1e-5);
}

TEST(Gain, is_in_decibels_of_amplitude) {
  std::vector<float> sound{0.1F, -0.2F};
  apply_gain(sound, 20);
  EXPECT_NEAR(sound[0], 1.0, 1e-6);
  EXPECT_NEAR(sound[1], -2.0, 1e-6);
  EXPECT_EQ(cropped({1}, {}, 1).front() * kUnit, kUnit);
}

TEST(Parallel, does_each_item_once) {
  std::vector<int> done(1000, 0);
  for_each_in_parallel(done.size(), [&](std::size_t i) { ++done[i]; });
  EXPECT_THAT(done, ::testing::Each(1));
  for_each_in_parallel(0, [](std::size_t) { FAIL(); });
}

TEST(Parallel, passes_an_error_on) {
  const auto message = testing::complaint(ErrorKind::input, [] {
    for_each_in_parallel(100, [](std::size_t i) {
      if (i == 37) throw Error(ErrorKind::input, "item 37");
    });
  });
  EXPECT_EQ(message, "item 37");
}

}  // namespace
}  // namespace compress
