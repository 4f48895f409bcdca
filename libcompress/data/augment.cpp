#include "libcompress/data/augment.h"

#include <kiss_fft.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <numbers>

namespace compress {
namespace {

constexpr float kFullScale = 1.0F / 32768.0F;
constexpr double kFloorDb = -80;
constexpr std::int64_t kLongestFrame = 2048;

}  // namespace

Samples trimmed(Samples sound) {
  const auto is_sound = [](std::int16_t x) { return x != 0; };
  const auto first = std::find_if(sound.begin(), sound.end(), is_sound);
  const auto last = std::find_if(sound.rbegin(), sound.rend(), is_sound).base();
  return first < last ? Samples(first, last) : Samples();
}

std::int64_t stretched_length(std::int64_t size, double scale) {
  return static_cast<std::int64_t>(static_cast<double>(size) * scale);
}

void crop(Samples sound, const CropWindow& window, std::span<float> out) {
  const auto size = static_cast<std::int64_t>(sound.size());
  const auto length = stretched_length(size, window.scale);
  const auto count = static_cast<std::int64_t>(out.size());
  const std::int64_t offset = window.start - window.padding;  // of out[0] in the stretched sound
  const std::int64_t begin = std::clamp<std::int64_t>(-offset, 0, count);
  const std::int64_t end = std::clamp<std::int64_t>(length - offset, begin, count);
  std::fill(out.begin(), out.begin() + begin, 0.0F);
  std::fill(out.begin() + end, out.end(), 0.0F);
  const double step = 1.0 / window.scale;
  for (std::int64_t i = begin; i < end; ++i) {
    const double position = static_cast<double>(offset + i) * step;
    const auto left = std::min(static_cast<std::int64_t>(position), size - 1);
    const auto right = std::min(left + 1, size - 1);
    const auto share = static_cast<float>(position - static_cast<double>(left));
    const float a = sound[static_cast<std::size_t>(left)];
    const float b = sound[static_cast<std::size_t>(right)];
    out[static_cast<std::size_t>(i)] = (a + (b - a) * share) * kFullScale;
  }
}

std::int64_t random_start(std::int64_t length, std::int64_t crop_length, Random& random) {
  const std::int64_t room = length - crop_length;
  return room >= 0 ? random.below(room + 1) : -random.below(1 - room);
}

std::vector<std::int64_t> crop_starts(std::int64_t length, std::int64_t crop_length, std::int64_t count) {
  assert(count >= 1);
  const std::int64_t room = length - crop_length;
  std::vector<std::int64_t> starts(static_cast<std::size_t>(count), room / 2);
  if (room < 0 || count == 1) return starts;
  for (std::int64_t i = 0; i < count; ++i) starts[static_cast<std::size_t>(i)] = i * (room / (count - 1));
  return starts;
}

double a_weighting_db(double frequency_hz) {
  const double f2 = std::max(frequency_hz, 1.0) * std::max(frequency_hz, 1.0);
  const auto corner = [f2](double hz) { return f2 + hz * hz; };
  const double response = 12194.0 * 12194.0 * f2 * f2 /
                          (corner(20.6) * std::sqrt(corner(107.7) * corner(737.9)) * corner(12194.0));
  return 20.0 * std::log10(response) + 2.0;
}

struct LoudnessMeter::Fft {
  explicit Fft(int size) : plan(kiss_fft_alloc(size, 0, nullptr, nullptr)) {}
  ~Fft() { kiss_fft_free(plan); }
  Fft(const Fft&) = delete;
  Fft& operator=(const Fft&) = delete;
  kiss_fft_cfg plan;  // read only while transforming, unlike the plan of kiss_fftr, which holds a buffer
};

LoudnessMeter::LoudnessMeter(std::int64_t sample_rate, std::int64_t length) {
  assert(length >= 2);
  frame_ =
      static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(std::min(length, kLongestFrame))));
  for (std::int64_t i = 0; i < frame_; ++i)
    window_.push_back(static_cast<float>(
        0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(frame_))));
  for (std::int64_t bin = 0; bin <= frame_ / 2; ++bin) {
    const double hz = static_cast<double>(bin * sample_rate) / static_cast<double>(frame_);
    weights_.push_back(static_cast<float>(std::pow(10.0, std::max(a_weighting_db(hz), kFloorDb) / 10)));
  }
  fft_ = std::make_unique<Fft>(static_cast<int>(frame_));
}

LoudnessMeter::~LoudnessMeter() = default;
LoudnessMeter::LoudnessMeter(LoudnessMeter&&) noexcept = default;
LoudnessMeter& LoudnessMeter::operator=(LoudnessMeter&&) noexcept = default;

/// One complex transform of two real frames, z = x + i y. With Z' the conjugate of the mirrored bin,
/// X = (Z + Z') / 2 and Y = (Z - Z') / 2i, so |X|^2 and |Y|^2 are (|Z|^2 + |Z'|^2) / 4 plus and minus Re(Z
/// Z'*) / 2.
void LoudnessMeter::powers(const float* first, const float* second, double& first_power,
                           double& second_power) const {
  const auto size = static_cast<std::size_t>(frame_);
  kiss_fft_cpx in[kLongestFrame];
  kiss_fft_cpx out[kLongestFrame];
  for (std::size_t i = 0; i < size; ++i) in[i] = {window_[i] * first[i], window_[i] * second[i]};
  kiss_fft(fft_->plan, in, out);
  float common = 0;
  float apart = 0;
  for (std::size_t bin = 0; bin <= size / 2; ++bin) {
    const auto z = out[bin];
    const auto mirrored = out[(size - bin) & (size - 1)];
    common += weights_[bin] * (z.r * z.r + z.i * z.i + mirrored.r * mirrored.r + mirrored.i * mirrored.i);
    apart += weights_[bin] * (z.r * mirrored.r - z.i * mirrored.i);
  }
  first_power = (common + 2.0 * apart) / 4;
  second_power = (common - 2.0 * apart) / 4;
}

double LoudnessMeter::gain_db(std::span<const float> sound) const {
  const auto size = static_cast<std::size_t>(frame_);
  const std::size_t hop = size / 2;
  double loudest = std::pow(10.0, kFloorDb / 10);
  for (std::size_t start = 0; start + size <= sound.size(); start += 2 * hop) {
    const float* first = sound.data() + start;
    const float* second = start + hop + size <= sound.size() ? first + hop : first;
    double first_power = 0;
    double second_power = 0;
    powers(first, second, first_power, second_power);
    loudest = std::max({loudest, first_power, second_power});
  }
  return 10 * std::log10(loudest);
}

double mixing_share(double gain1_db, double gain2_db, double ratio) {
  return 1 / (1 + std::pow(10.0, (gain1_db - gain2_db) / 20) * (1 - ratio) / ratio);
}

void mix_into(std::span<float> first, std::span<const float> second, double share) {
  assert(first.size() == second.size());
  const double energy = std::sqrt(share * share + (1 - share) * (1 - share));
  const auto a = static_cast<float>(share / energy);
  const auto b = static_cast<float>((1 - share) / energy);
  for (std::size_t i = 0; i < first.size(); ++i) first[i] = a * first[i] + b * second[i];
}

void apply_gain(std::span<float> sound, double db) {
  const auto factor = static_cast<float>(std::pow(10.0, db / 20));
  for (auto& x : sound) x *= factor;
}

}  // namespace compress
