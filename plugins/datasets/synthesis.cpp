#include "plugins/datasets/synthesis.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

namespace compress {
namespace {

constexpr double kSilent = 1e-4;  // where a decaying sound is cut off

/// cos and alpha of the cookbook.
struct Corner {
  Corner(double hz, double q, double rate) {
    const double turn = 2 * std::numbers::pi * std::clamp(hz / rate, 1e-5, 0.45);
    cosine = std::cos(turn);
    alpha = std::sin(turn) / (2 * q);
  }
  double cosine;
  double alpha;
};

}  // namespace

std::size_t Canvas::at(double second) const {
  return static_cast<std::size_t>(std::clamp(second * rate, 0.0, static_cast<double>(samples.size())));
}

Biquad::Biquad(double b0, double b1, double b2, double a0, double a1, double a2)
    : b0_(b0 / a0), b1_(b1 / a0), b2_(b2 / a0), a1_(a1 / a0), a2_(a2 / a0) {}

Biquad Biquad::lowpass(double hz, double q, double rate) {
  const auto [cosine, alpha] = Corner(hz, q, rate);
  return {(1 - cosine) / 2, 1 - cosine, (1 - cosine) / 2, 1 + alpha, -2 * cosine, 1 - alpha};
}

Biquad Biquad::highpass(double hz, double q, double rate) {
  const auto [cosine, alpha] = Corner(hz, q, rate);
  return {(1 + cosine) / 2, -(1 + cosine), (1 + cosine) / 2, 1 + alpha, -2 * cosine, 1 - alpha};
}

Biquad Biquad::bandpass(double hz, double q, double rate) {
  const auto [cosine, alpha] = Corner(hz, q, rate);
  return {alpha, 0, -alpha, 1 + alpha, -2 * cosine, 1 - alpha};
}

float Noise::operator()() {
  constexpr double kPower = 1.7320508 / 32768;  // an even distribution on -1 .. 1 has power 1 / 3
  if (left_ == 0) {
    bits_ = random_.bits();
    left_ = 4;
  }
  const auto value = static_cast<std::int16_t>(bits_ & 0xffff);
  bits_ >>= 16;
  --left_;
  return static_cast<float>(value * kPower);
}

double Phase::step(double hz) {
  const double before = turns_;
  turns_ += hz / rate_;
  turns_ -= std::floor(turns_);
  return before;
}

double sine(double turns) { return std::sin(2 * std::numbers::pi * turns); }

void add_ping(const Canvas& canvas, double start_s, double hz, double decay_s, double amplitude) {
  if (hz > 0.48 * canvas.rate) return;
  const double fall = std::exp(-1 / (decay_s * canvas.rate));
  const double rise = 1 / (0.001 * canvas.rate);
  Phase phase(canvas.rate);
  double level = amplitude;
  double onset = 0;
  for (std::size_t i = canvas.at(start_s); i < canvas.samples.size() && level > kSilent * amplitude; ++i) {
    onset = std::min(1.0, onset + rise);
    canvas.samples[i] += static_cast<float>(onset * level * sine(phase.step(hz)));
    level *= fall;
  }
}

void add_burst(const Canvas& canvas, double start_s, double decay_s, double amplitude, Biquad filter,
               Random& random) {
  const double fall = std::exp(-1 / (decay_s * canvas.rate));
  Noise noise(random);
  double level = amplitude;
  for (std::size_t i = canvas.at(start_s); i < canvas.samples.size() && level > kSilent * amplitude; ++i) {
    canvas.samples[i] += filter(static_cast<float>(level) * noise());
    level *= fall;
  }
}

double waiting_time(double per_second, Random& random) {
  return -std::log(1 - random.uniform()) / per_second;
}

double log_uniform(double low, double high, Random& random) {
  return low * std::pow(high / low, random.uniform());
}

double active_level(const Canvas& canvas) {
  const std::size_t frame = std::max<std::size_t>(1, static_cast<std::size_t>(0.02 * canvas.rate));
  std::vector<double> powers;
  for (std::size_t start = 0; start < canvas.samples.size(); start += frame) {
    const auto part = canvas.samples.subspan(start, std::min(frame, canvas.samples.size() - start));
    double sum = 0;
    for (const float x : part) sum += static_cast<double>(x) * x;
    powers.push_back(sum / static_cast<double>(part.size()));
  }
  std::sort(powers.begin(), powers.end(), std::greater<>());
  powers.resize((powers.size() + 9) / 10);
  double sum = 0;
  for (const double power : powers) sum += power;
  return powers.empty() ? 0 : std::sqrt(sum / static_cast<double>(powers.size()));
}

}  // namespace compress
