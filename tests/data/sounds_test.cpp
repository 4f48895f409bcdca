#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <map>
#include <numbers>
#include <set>

#include "libcompress/base/files.h"
#include "libcompress/data/augment.h"
#include "plugins/datasets/datasets.h"
#include "plugins/datasets/voices.h"
#include "tests/data/sound_files.h"

namespace compress {
namespace {

using Given = std::map<std::string, OptionValue>;

constexpr std::int64_t kLength = 4000;

std::unique_ptr<DataSet> make_sounds(Given given = {}) {
  Catalog<DataSet> catalog("data set");
  register_sounds(catalog);
  given.emplace("sample_rate", std::int64_t{8000});
  given.emplace("input_length", kLength);
  given.emplace("clip_seconds", 0.8);
  for (const char* clips : {"train_clips", "validation_clips", "test_clips"})
    given.emplace(clips, std::int64_t{4});
  return catalog.make("sounds", given);
}

std::vector<float> views(const DataSet& data, Part part, std::int64_t index) {
  std::vector<float> all(static_cast<std::size_t>(data.view_count() * kLength));
  data.evaluation_views(part, index, all);
  return all;
}

std::string hash_of_all(const DataSet& data, Part part) {
  std::string hashes;
  for (std::int64_t i = 0; i < data.size(part); ++i) {
    const auto all = views(data, part, i);
    hashes += content_hash(std::as_bytes(std::span(all)));
  }
  return content_hash(hashes);
}

TEST(Sounds, are_the_same_bytes_for_the_same_seed) {
  for (const Part part : {Part::train, Part::validation, Part::test}) {
    EXPECT_EQ(hash_of_all(*make_sounds(), part), hash_of_all(*make_sounds(), part));
    EXPECT_NE(hash_of_all(*make_sounds(), part),
              hash_of_all(*make_sounds({{"seed", std::int64_t{2}}}), part));
  }
}

TEST(Sounds, of_a_part_do_not_depend_on_how_many_there_are) {
  const auto few = make_sounds();
  const auto many = make_sounds({{"test_clips", std::int64_t{6}}, {"train_clips", std::int64_t{9}}});
  for (std::int64_t i = 0; i < few->size(Part::test); ++i)
    EXPECT_EQ(views(*few, Part::test, i), views(*many, Part::test, i));
}

TEST(Sounds, share_no_clip_between_parts) {
  const auto data = make_sounds();
  std::set<std::vector<float>> clips;
  std::size_t count = 0;
  for (const Part part : {Part::train, Part::validation, Part::test})
    for (std::int64_t i = 0; i < data->size(part); ++i, ++count) clips.insert(views(*data, part, i));
  EXPECT_EQ(count, 120U);
  EXPECT_EQ(clips.size(), count);
}

TEST(Sounds, have_ten_classes_of_as_many_clips_each) {
  const auto data = make_sounds();
  EXPECT_EQ(data->class_names().size(), 10U);
  EXPECT_EQ(data->target_count(), 10);
  EXPECT_EQ(data->input_shape(), (Shape{1, 1, kLength}));
  std::map<std::int64_t, int> clips;
  std::vector<float> all(static_cast<std::size_t>(data->view_count() * kLength));
  for (std::int64_t i = 0; i < data->size(Part::test); ++i)
    ++clips[data->evaluation_views(Part::test, i, all)];
  EXPECT_EQ(clips.size(), 10U);
  for (const auto& [label, count] : clips) EXPECT_EQ(count, 4);
  EXPECT_EQ(data->clip_name(Part::test, 12), "dog_bark 1");
}

TEST(Sounds, are_audible_and_not_clipped) {
  const auto data = make_sounds();
  for (std::int64_t i = 0; i < data->size(Part::train); ++i) {
    float peak = 0;
    for (const float x : views(*data, Part::train, i)) peak = std::max(peak, std::fabs(x));
    EXPECT_GT(peak, 0.005) << data->clip_name(Part::train, i);
    EXPECT_LT(peak, 1.0) << data->clip_name(Part::train, i);
  }
}

TEST(Sounds, refuse_what_does_not_fit_in_memory) {
  const Given given{{"train_clips", std::int64_t{10000}}, {"clip_seconds", 60.0}};
  EXPECT_THAT(testing::complaint(ErrorKind::input, [&] { make_sounds(given); }),
              ::testing::HasSubstr("'train_clips': 96 GB of sound"));
}

TEST(Sounds, describe_what_they_are_made_from) {
  EXPECT_EQ(make_sounds()->description(), make_sounds()->description());
  EXPECT_NE(make_sounds()->description(), make_sounds({{"noise", 0.5}})->description());
}

/// A second of one voice without anything behind it.
std::vector<float> voice(std::size_t label, std::uint64_t seed, double rate = 20000) {
  std::vector<float> samples(static_cast<std::size_t>(rate), 0.0F);
  Random random(seed);
  voices()[label].sing({samples, rate}, random);
  return samples;
}

/// Mean frequency of the sound's differences: sqrt of the power of the derivative over the power, in Hz.
double mean_hz(const std::vector<float>& sound, double rate = 20000) {
  double power = 1e-12;
  double change = 0;
  for (std::size_t i = 1; i < sound.size(); ++i) {
    power += static_cast<double>(sound[i]) * sound[i];
    change += std::pow(static_cast<double>(sound[i]) - sound[i - 1], 2);
  }
  return std::asin(std::min(1.0, std::sqrt(change / power) / 2)) * rate / std::numbers::pi;
}

/// How much of the sound's energy lies in its loudest tenth of a second.
double burstiness(const std::vector<float>& sound) {
  const std::size_t frame = sound.size() / 10;
  double all = 1e-12;
  double loudest = 0;
  for (std::size_t start = 0; start + frame <= sound.size(); start += frame) {
    double energy = 0;
    for (const float x : std::span(sound).subspan(start, frame)) energy += static_cast<double>(x) * x;
    all += energy;
    loudest = std::max(loudest, energy);
  }
  return loudest / all;
}

double average(const std::function<double(std::uint64_t)>& of_seed) {
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 12; ++seed) sum += of_seed(seed) / 12;
  return sum;
}

TEST(Voices, lie_where_their_models_lie_in_the_spectrum) {
  std::map<std::string, double> hz;
  std::map<std::string, double> bursts;
  for (std::size_t label = 0; label < voices().size(); ++label) {
    hz[voices()[label].name] = average([&](std::uint64_t seed) { return mean_hz(voice(label, seed)); });
    bursts[voices()[label].name] =
        average([&](std::uint64_t seed) { return burstiness(voice(label, seed)); });
  }
  EXPECT_LT(hz["engine"], 700);
  EXPECT_LT(hz["footsteps"], 1100);
  EXPECT_GT(hz["bird"], 1500);
  EXPECT_LT(hz["bird"], 4500);
  EXPECT_GT(hz["rain"], hz["sea_waves"]);
  EXPECT_GT(hz["clock_tick"], hz["footsteps"]);
  EXPECT_GT(bursts["clock_tick"], 0.2);
  EXPECT_GT(bursts["dog_bark"], 0.2);
  EXPECT_LT(bursts["rain"], 0.15);
  EXPECT_LT(bursts["siren"], 0.15);
}

TEST(Voices, differ_from_clip_to_clip_and_are_finite_at_every_rate) {
  for (std::size_t label = 0; label < voices().size(); ++label) {
    EXPECT_NE(voice(label, 1), voice(label, 2));
    EXPECT_EQ(voice(label, 1), voice(label, 1));
    for (const double rate : {1000.0, 8000.0, 48000.0})
      for (const float x : voice(label, 3, rate)) ASSERT_TRUE(std::isfinite(x)) << voices()[label].name;
  }
}

}  // namespace
}  // namespace compress
