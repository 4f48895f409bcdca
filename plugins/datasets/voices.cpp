#include "plugins/datasets/voices.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace compress {
namespace {

/// A tone with three harmonics whose pitch wails up and down, or alternates between two notes.
void siren(const Canvas& canvas, Random& random) {
  const double low = log_uniform(400, 1000, random);
  const double span = random.uniform(0.35, 1.1);
  const double cycles_hz = log_uniform(0.5, 4, random);
  const auto kind = random.below(3);
  const double second = random.uniform(0.05, 0.6);
  const double third = random.uniform(0.05, 0.5);
  Phase cycle(canvas.rate, random.uniform());
  Phase tone(canvas.rate);
  for (auto& x : canvas.samples) {
    const double u = cycle.step(cycles_hz);
    const double wail = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * u);
    const double height = kind == 0 ? wail : kind == 1 ? u : (u < 0.5 ? 0.0 : 1.0);
    const double turns = tone.step(low * (1 + span * height));
    x += static_cast<float>(sine(turns) + second * sine(2 * turns) + third * sine(3 * turns));
  }
}

/// Short resonances at a steady beat, every other one of another pitch.
void clock_tick(const Canvas& canvas, Random& random) {
  const double period_s = log_uniform(0.2, 0.8, random);
  const double tick_hz = log_uniform(1200, 3600, random);
  const double tock_hz = tick_hz * random.uniform(0.7, 1.0);
  const double decay_s = log_uniform(0.003, 0.015, random);
  const double ring = random.uniform(0.2, 0.7);
  int beat = 0;
  for (double t = random.uniform(0, period_s); t < canvas.seconds();
       t += period_s * random.uniform(0.98, 1.02)) {
    const double hz = ++beat % 2 == 0 ? tick_hz : tock_hz;
    add_ping(canvas, t, hz, decay_s, ring);
    add_burst(canvas, t, decay_s / 2, 2, Biquad::bandpass(hz, 2, canvas.rate), random);
  }
}

/// One bark: a hoarse saw tooth whose pitch rises and falls, through two resonances of a throat.
void bark(const Canvas& canvas, double start_s, double length_s, double peak_hz, double hoarse,
          Random& random) {
  auto throat = Biquad::bandpass(random.uniform(0.9, 1.1) * 2.2 * peak_hz, 1.5, canvas.rate);
  auto mouth = Biquad::bandpass(random.uniform(0.9, 1.1) * 4.5 * peak_hz, 3, canvas.rate);
  Noise noise(random);
  Phase phase(canvas.rate);
  const std::size_t begin = canvas.at(start_s);
  const std::size_t end = canvas.at(start_s + length_s);
  for (std::size_t i = begin; i < end; ++i) {
    const double u = static_cast<double>(i - begin) / (length_s * canvas.rate);
    const double hz = peak_hz * (0.6 + 0.4 * sine(u / 2));
    const double saw = 2 * phase.step(hz) - 1;
    const auto source =
        static_cast<float>((saw + hoarse * noise()) * std::sqrt(std::max(0.0, sine(u / 2))) * (1 - u));
    canvas.samples[i] += throat(source) + 0.6F * mouth(source) + 0.2F * source;
  }
}

void dog_bark(const Canvas& canvas, Random& random) {
  const double peak_hz = log_uniform(250, 800, random);
  const double length_s = random.uniform(0.08, 0.25);
  const double hoarse = random.uniform(0.1, 0.6);
  const double pause_s = random.uniform(0.05, 0.6);
  for (double t = random.uniform(0, 0.5); t < canvas.seconds() - 0.1;
       t += length_s + pause_s * random.uniform(0.7, 1.5))
    bark(canvas, t, length_s * random.uniform(0.85, 1.15), peak_hz * random.uniform(0.93, 1.07), hoarse,
         random);
}

/// A steady hiss and the patter of single drops.
void rain(const Canvas& canvas, Random& random) {
  auto high = Biquad::highpass(log_uniform(300, 1500, random), 0.7, canvas.rate);
  auto low = Biquad::lowpass(log_uniform(2500, 8000, random), 0.7, canvas.rate);
  Noise noise(random);
  for (auto& x : canvas.samples) x += low(high(0.5F * noise()));
  const double drops = log_uniform(30, 250, random);
  const double loud = random.uniform(0.3, 1.2);
  for (double t = 0; t < canvas.seconds(); t += waiting_time(drops, random))
    add_ping(canvas, t, log_uniform(1000, 4500, random), random.uniform(0.001, 0.004),
             loud * random.uniform(0.2, 1));
}

/// Firing strokes as a pulse train whose speed drifts, through the resonance of an exhaust.
void engine(const Canvas& canvas, Random& random) {
  const double idle_hz = log_uniform(22, 110, random);
  const double drift = random.uniform(-0.35, 0.35);
  const double uneven = random.uniform(0, 0.5);
  const double hiss = random.uniform(0.02, 0.25);
  auto body = Biquad::lowpass(log_uniform(250, 1500, random), 0.8, canvas.rate);
  auto pipe = Biquad::bandpass(log_uniform(90, 500, random), 2, canvas.rate);
  Noise noise(random);
  Phase phase(canvas.rate);
  double stroke = 1;
  double before = 0;
  for (std::size_t i = 0; i < canvas.samples.size(); ++i) {
    const double u = static_cast<double>(i) / static_cast<double>(canvas.samples.size());
    const double turns = phase.step(idle_hz * (1 + drift * u));
    if (turns < before) stroke = 1 - uneven * random.uniform();
    before = turns;
    const double pulse = stroke * std::exp(-9 * turns) * (1 + hiss * noise()) - 0.11;
    const auto source = static_cast<float>(pulse);
    canvas.samples[i] += body(source) + 2 * pipe(source);
  }
}

/// Noise that swells and breaks: the louder, the brighter.
void sea_waves(const Canvas& canvas, Random& random) {
  const double waves_hz = log_uniform(0.3, 0.9, random);
  const double calm = random.uniform(0.05, 0.3);
  const double steep = random.uniform(1.5, 4);
  const double breaker = random.uniform(0.2, 0.9);
  auto roar = Biquad::lowpass(log_uniform(250, 800, random), 0.6, canvas.rate);
  auto foam = Biquad::bandpass(log_uniform(1200, 3200, random), 0.5, canvas.rate);
  Noise noise(random);
  Phase phase(canvas.rate, random.uniform());
  for (auto& x : canvas.samples) {
    const double swell = calm + (1 - calm) * std::pow(0.5 + 0.5 * sine(phase.step(waves_hz)), steep);
    const float white = noise();
    x += static_cast<float>(swell * (2 * roar(white) + breaker * swell * foam(white)));
  }
}

/// One syllable: a pure tone that glides, with a tremble.
void chirp(const Canvas& canvas, double start_s, double length_s, double from_hz, double to_hz,
           double tremble_hz) {
  Phase phase(canvas.rate);
  const std::size_t begin = canvas.at(start_s);
  const std::size_t end = canvas.at(start_s + length_s);
  for (std::size_t i = begin; i < end; ++i) {
    const double u = static_cast<double>(i - begin) / (length_s * canvas.rate);
    const double hz = from_hz + (to_hz - from_hz) * u + 150 * sine(tremble_hz * u * length_s);
    canvas.samples[i] += static_cast<float>(sine(phase.step(std::min(hz, 0.48 * canvas.rate))) * sine(u / 2));
  }
}

/// Phrases of a few like syllables.
void bird(const Canvas& canvas, Random& random) {
  const double from_hz = log_uniform(1700, 3300, random);
  const double to_hz = from_hz * log_uniform(0.6, 1.6, random);
  const double length_s = log_uniform(0.03, 0.18, random);
  const double gap_s = log_uniform(0.02, 0.12, random);
  const double rest_s = random.uniform(0.1, 0.6);
  const double tremble_hz = random.uniform(0, 60);
  for (double t = random.uniform(0, 0.4); t < canvas.seconds(); t += rest_s)
    for (auto syllables = 2 + random.below(6); syllables > 0 && t < canvas.seconds(); --syllables) {
      chirp(canvas, t, length_s, from_hz * random.uniform(0.95, 1.05), to_hz, tremble_hz);
      t += length_s + gap_s;
    }
}

/// Dull thuds at a walking beat, each with the scrape of a sole.
void footsteps(const Canvas& canvas, Random& random) {
  const double period_s = log_uniform(0.25, 0.7, random);
  const double thud_hz = log_uniform(70, 350, random);
  const double decay_s = log_uniform(0.012, 0.05, random);
  const double scrape = random.uniform(0.1, 0.9);
  const double floor_hz = log_uniform(600, 2400, random);
  for (double t = random.uniform(0, period_s); t < canvas.seconds();
       t += period_s * random.uniform(0.9, 1.1)) {
    const double weight = random.uniform(0.7, 1.2);
    add_ping(canvas, t, thud_hz * random.uniform(0.9, 1.1), decay_s, weight);
    add_burst(canvas, t, decay_s, 2 * weight, Biquad::lowpass(2 * thud_hz, 0.8, canvas.rate), random);
    add_burst(canvas, t + 0.02, 2 * decay_s, scrape, Biquad::bandpass(floor_hz, 1, canvas.rate), random);
  }
}

/// Struck metal or glass: partials that are no harmonics, the higher the sooner gone.
void bell(const Canvas& canvas, Random& random) {
  const double base_hz = log_uniform(350, 1500, random);
  const double decay_s = log_uniform(0.15, 1.2, random);
  constexpr std::array<double, 6> kPartials{0.5, 1, 1.19, 1.56, 2.0, 2.74};
  std::array<double, kPartials.size()> ratio{};
  std::array<double, kPartials.size()> weight{};
  for (std::size_t i = 0; i < ratio.size(); ++i) {
    ratio[i] = kPartials[i] * random.uniform(0.95, 1.05);
    weight[i] = random.uniform(0.15, 1);
  }
  const double again_s = random.uniform(0.4, 1.6);
  for (double t = random.uniform(0, 0.6); t < canvas.seconds() - 0.2;
       t += again_s * random.uniform(0.8, 1.2)) {
    for (std::size_t i = 0; i < ratio.size(); ++i)
      add_ping(canvas, t, base_hz * ratio[i], decay_s / std::sqrt(ratio[i] + 0.5), weight[i]);
    add_burst(canvas, t, 0.003, 1, Biquad::highpass(1500, 0.7, canvas.rate), random);
  }
}

/// Cracks of very different strength at random times over a rumble.
void fire(const Canvas& canvas, Random& random) {
  auto rumble = Biquad::lowpass(log_uniform(80, 400, random), 0.7, canvas.rate);
  const double draught = random.uniform(0.1, 0.7);
  Noise noise(random);
  for (auto& x : canvas.samples) x += rumble(static_cast<float>(draught) * noise());
  const double cracks = log_uniform(8, 45, random);
  for (double t = 0; t < canvas.seconds(); t += waiting_time(cracks, random)) {
    const double strength = 2.5 * std::pow(random.uniform(), 3) + 0.1;
    const double hz = log_uniform(800, 4000, random);
    add_burst(canvas, t, log_uniform(0.0007, 0.006, random), strength, Biquad::bandpass(hz, 0.7, canvas.rate),
              random);
  }
}

constexpr std::array kVoices{
    Voice{"siren", siren}, Voice{"clock_tick", clock_tick}, Voice{"dog_bark", dog_bark},
    Voice{"rain", rain},   Voice{"engine", engine},         Voice{"sea_waves", sea_waves},
    Voice{"bird", bird},   Voice{"footsteps", footsteps},   Voice{"bell", bell},
    Voice{"fire", fire},
};

}  // namespace

std::span<const Voice> voices() { return kVoices; }

}  // namespace compress
