// Ten classes of sound made by calculation: a data set without files, the same bytes for the same options.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libcompress/base/error.h"
#include "libcompress/data/audio.h"
#include "libcompress/data/clips.h"
#include "libcompress/data/parallel.h"
#include "plugins/datasets/datasets.h"
#include "plugins/datasets/voices.h"

namespace compress {
namespace {

/// Bumped when the sounds of a seed change: cache keys and old reports must not mix with the new ones.
constexpr int kEdition = 1;

void add(const Canvas& canvas, std::span<const float> sound, double factor) {
  for (std::size_t i = 0; i < sound.size(); ++i) canvas.samples[i] += static_cast<float>(factor) * sound[i];
}

double decibels(double db) { return std::pow(10.0, db / 20); }

/// One voice at level 1 on a canvas of its own.
std::vector<float> solo(std::size_t label, const Canvas& like, Random& random) {
  std::vector<float> sound(like.samples.size(), 0.0F);
  const Canvas canvas{sound, like.rate};
  voices()[label].sing(canvas, random);
  const double level = active_level(canvas);
  for (auto& x : sound) x = static_cast<float>(x / std::max(level, 1e-9));
  return sound;
}

/// Noise between a rumble and a hiss, at level 1.
std::vector<float> backdrop(const Canvas& like, Random& random) {
  std::vector<float> sound(like.samples.size());
  const Canvas canvas{sound, like.rate};
  Noise noise(random);
  auto low = Biquad::lowpass(log_uniform(150, 6000, random), 0.6, like.rate);
  const double white = random.uniform(0, 0.3);
  for (auto& x : sound) {
    const float sample = noise();
    x = low(sample) + static_cast<float>(white) * sample;
  }
  const double level = active_level(canvas);
  for (auto& x : sound) x = static_cast<float>(x / std::max(level, 1e-9));
  return sound;
}

/// A clip of class `label` as a microphone would hear it: behind it noise and, half of the time, another
/// class more softly; recorded at any level. `noise` is the amplitude of what does not belong there; 0 leaves
/// it out.
std::vector<std::int16_t> record(std::size_t label, double rate, std::size_t length, double noise,
                                 Random& random) {
  std::vector<float> scene(length, 0.0F);
  const Canvas canvas{scene, rate};
  add(canvas, solo(label, canvas, random), 1);
  add(canvas, backdrop(canvas, random), noise * decibels(-random.uniform(2, 24)));
  const auto others = static_cast<std::int64_t>(voices().size()) - 1;
  const auto other = (label + 1 + static_cast<std::size_t>(random.below(others))) % voices().size();
  if (random.uniform() < 0.5)
    add(canvas, solo(other, canvas, random), noise * decibels(-random.uniform(3, 18)));
  float peak = 1e-9F;
  for (const float x : scene) peak = std::max(peak, std::fabs(x));
  const auto gain = static_cast<float>(random.uniform(0.2, 0.95) / peak);
  for (auto& x : scene) x *= gain;
  return to_int16(scene);
}

class Sounds final : public ClipDataSet {
 public:
  explicit Sounds(const Options& options)
      : ClipDataSet(clip_settings(options), content(options)),
        seed_(static_cast<std::uint64_t>(options.integer("seed"))),
        length_(static_cast<std::size_t>(options.number("clip_seconds") *
                                         static_cast<double>(options.integer("sample_rate")))),
        noise_(options.number("noise")) {}

  std::string description() const override {
    return fmt::format("sounds edition={} seed={} clips={}/{}/{} length={} noise={} {}", kEdition, seed_,
                       size(Part::train), size(Part::validation), size(Part::test), length_, noise_,
                       to_string(settings()));
  }

 protected:
  ClipDataSet::Sounds load(Part part) const override {
    ClipDataSet::Sounds sounds(static_cast<std::size_t>(size(part)));
    for_each_in_parallel(sounds.size(), [&](std::size_t i) {
      auto random = Random::stream(seed_, (static_cast<std::uint64_t>(part) << 40) + i);
      sounds[i] =
          record(i % voices().size(), static_cast<double>(settings().sample_rate), length_, noise_, random);
    });
    return sounds;
  }

 private:
  /// Clips stay in memory; a slip of a zero should be a message and not a machine that swaps.
  static void check_memory(const Options& options, std::int64_t classes) {
    constexpr double kLimitBytes = 8e9;
    const double clip_bytes =
        2 * options.number("clip_seconds") * static_cast<double>(options.integer("sample_rate"));
    for (const char* row : {"train_clips", "validation_clips", "test_clips"}) {
      const double bytes = clip_bytes * static_cast<double>(options.integer(row) * classes);
      if (bytes > kLimitBytes)
        throw Error(ErrorKind::input, {fmt::format("data set 'sounds', '{}'", row),
                                       fmt::format("{:.0f} GB of sound", bytes / 1e9), "at most 8 GB",
                                       "ask for fewer or shorter clips"});
    }
  }

  /// Classes take turns: clip i is of class i modulo their number.
  static Content content(const Options& options) {
    Content all;
    for (const auto& voice : voices()) all.class_names.push_back(voice.name);
    all.target_count = static_cast<std::int64_t>(all.class_names.size());
    check_memory(options, all.target_count);
    const std::array<const char*, 3> rows{"train_clips", "validation_clips", "test_clips"};
    for (std::size_t part = 0; part < rows.size(); ++part)
      for (std::int64_t i = 0; i < options.integer(rows[part]) * all.target_count; ++i) {
        const std::int64_t label = i % all.target_count;
        const auto& name = all.class_names[static_cast<std::size_t>(label)];
        all.clips[part].push_back({fmt::format("{} {}", name, i / all.target_count), label});
      }
    return all;
  }

  std::uint64_t seed_;
  std::size_t length_;
  double noise_;
};

OptionSpec clip_count(const char* name, const char* help, std::int64_t fallback) {
  return {.name = name,
          .type = OptionType::integer,
          .help = help,
          .fallback = fallback,
          .minimum = 0,
          .maximum = 10000};
}

OptionTable sounds_options() {
  OptionTable table{
      {.name = "seed",
       .type = OptionType::integer,
       .help = "draws every clip",
       .fallback = std::int64_t{1},
       .minimum = 0},
      clip_count("train_clips", "clips of each class to train on", 60),
      clip_count("validation_clips", "clips of each class that pick the best epoch", 20),
      clip_count("test_clips", "clips of each class that are looked at once, at the end", 20),
      {.name = "clip_seconds",
       .type = OptionType::number,
       .help = "length of a clip, s",
       .fallback = 2.0,
       .minimum = 0.05,
       .maximum = 60},
      {.name = "noise",
       .type = OptionType::number,
       .help = "amplitude of the noise and the other sounds in the background, as a factor; 0 is none",
       .fallback = 1.0,
       .minimum = 0,
       .maximum = 4},
  };
  const auto shared = clip_options({.crops = 3, .padding = 0});
  table.insert(table.end(), shared.begin(), shared.end());
  return table;
}

}  // namespace

void register_sounds(Catalog<DataSet>& catalog) {
  catalog.add("sounds", "ten classes of sound made by calculation from a seed; needs no files",
              sounds_options(), [](const Options& options) { return std::make_unique<Sounds>(options); });
}

}  // namespace compress
