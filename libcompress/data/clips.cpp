#include "libcompress/data/clips.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "libcompress/base/error.h"

namespace compress {

OptionTable clip_options(const ClipSettings& defaults) {
  return {
      {.name = "sample_rate",
       .type = OptionType::integer,
       .help = "samples per second that the network hears, Hz",
       .fallback = defaults.sample_rate,
       .minimum = 1000,
       .maximum = 192000},
      {.name = "input_length",
       .type = OptionType::integer,
       .help = "samples of one input of the network",
       .fallback = defaults.input_length,
       .minimum = 64,
       .maximum = 1000000},
      {.name = "crops",
       .type = OptionType::integer,
       .help = "equally spaced crops of a clip that an evaluation averages over",
       .fallback = defaults.crops,
       .minimum = 1,
       .maximum = 100},
      {.name = "padding",
       .type = OptionType::number,
       .help = "zeros on each side of a clip, as a part of input_length",
       .fallback = defaults.padding,
       .minimum = 0,
       .maximum = 1},
      {.name = "mix",
       .type = OptionType::boolean,
       .help = "train on mixtures of two classes (between-class learning)",
       .fallback = defaults.mix},
      {.name = "stretch",
       .type = OptionType::number,
       .help = "training clips are stretched by a factor between 1 / stretch and stretch; 1 is none",
       .fallback = defaults.stretch,
       .minimum = 1,
       .maximum = 4},
      {.name = "gain_db",
       .type = OptionType::number,
       .help = "training examples are amplified by up to this many dB, up or down",
       .fallback = defaults.gain_db,
       .minimum = 0,
       .maximum = 40},
  };
}

ClipSettings clip_settings(const Options& options) {
  return {.sample_rate = options.integer("sample_rate"),
          .input_length = options.integer("input_length"),
          .crops = options.integer("crops"),
          .padding = options.number("padding"),
          .mix = options.boolean("mix"),
          .stretch = options.number("stretch"),
          .gain_db = options.number("gain_db")};
}

std::string to_string(const ClipSettings& settings) {
  return fmt::format("sample_rate={} input_length={} crops={} padding={} mix={} stretch={} gain_db={}",
                     settings.sample_rate, settings.input_length, settings.crops, settings.padding,
                     settings.mix, settings.stretch, settings.gain_db);
}

ClipDataSet::ClipDataSet(const ClipSettings& settings, Content content)
    : settings_(settings),
      padding_(static_cast<std::int64_t>(static_cast<double>(settings.input_length) * settings.padding)),
      class_names_(std::move(content.class_names)),
      target_count_(content.target_count),
      clips_(std::move(content.clips)),
      meter_(settings.sample_rate, settings.input_length) {
  const auto& train = clips(Part::train);
  const auto same_class = [&](const ClipInfo& clip) { return clip.label == train.front().label; };
  if (settings_.mix && !train.empty() && std::all_of(train.begin(), train.end(), same_class))
    throw Error(ErrorKind::input, {"data set", "training clips of a single class", "two classes or more",
                                   "add clips, or switch between-class mixing off (mix: false)"});
}

const std::vector<ClipInfo>& ClipDataSet::clips(Part part) const {
  return clips_[static_cast<std::size_t>(part)];
}

std::int64_t ClipDataSet::size(Part part) const { return static_cast<std::int64_t>(clips(part).size()); }

std::string ClipDataSet::clip_name(Part part, std::int64_t index) const {
  return clips(part).at(static_cast<std::size_t>(index)).name;
}

std::int64_t ClipDataSet::label(Part part, std::int64_t index) const {
  return clips(part).at(static_cast<std::size_t>(index)).label;
}

const ClipDataSet::Sounds& ClipDataSet::sounds(Part part) const {
  const std::lock_guard lock(guard_);
  auto& loaded = sounds_[static_cast<std::size_t>(part)];
  if (!loaded) {
    loaded = load(part);
    assert(loaded->size() == clips(part).size());
  }
  return *loaded;
}

/// A clip of another class. There is one: the constructor has seen to it.
std::size_t ClipDataSet::partner_of(std::size_t first, Random& random) const {
  const auto& train = clips(Part::train);
  while (true) {
    const auto second = static_cast<std::size_t>(random.below(size(Part::train)));
    if (train[second].label != train[first].label) return second;
  }
}

void ClipDataSet::random_crop(Samples sound, Random& random, std::span<float> out) const {
  CropWindow window{.scale = std::pow(settings_.stretch, random.uniform(-1, 1)), .padding = padding_};
  const auto size = static_cast<std::int64_t>(sound.size());
  const std::int64_t length = stretched_length(size, window.scale) + 2 * padding_;
  window.start = random_start(length, settings_.input_length, random);
  crop(sound, window, out);
}

void ClipDataSet::training_example(std::int64_t index, Random& random, std::span<float> input,
                                   std::span<float> target) const {
  assert(static_cast<std::int64_t>(input.size()) == settings_.input_length);
  assert(static_cast<std::int64_t>(target.size()) == target_count_);
  const auto& train = clips(Part::train);
  const auto& loaded = sounds(Part::train);
  const auto first = static_cast<std::size_t>(index);
  std::fill(target.begin(), target.end(), 0.0F);
  random_crop(loaded.at(first), random, input);
  if (settings_.mix) {
    const std::size_t second = partner_of(first, random);
    std::vector<float> other(input.size());
    random_crop(loaded[second], random, other);
    const double ratio = random.uniform();
    mix_into(input, other, mixing_share(meter_.gain_db(input), meter_.gain_db(other), ratio));
    target[static_cast<std::size_t>(train[first].label)] = static_cast<float>(ratio);
    target[static_cast<std::size_t>(train[second].label)] = static_cast<float>(1 - ratio);
  } else {
    target[static_cast<std::size_t>(train[first].label)] = 1;
  }
  apply_gain(input, random.uniform(-settings_.gain_db, settings_.gain_db));
}

std::int64_t ClipDataSet::evaluation_views(Part part, std::int64_t index, std::span<float> views) const {
  assert(static_cast<std::int64_t>(views.size()) == settings_.crops * settings_.input_length);
  const auto& sound = sounds(part).at(static_cast<std::size_t>(index));
  const auto length = static_cast<std::int64_t>(sound.size()) + 2 * padding_;
  const auto starts = crop_starts(length, settings_.input_length, settings_.crops);
  const auto width = static_cast<std::size_t>(settings_.input_length);
  for (std::size_t i = 0; i < starts.size(); ++i)
    crop(sound, {.padding = padding_, .start = starts[i]}, views.subspan(i * width, width));
  return label(part, index);
}

}  // namespace compress
