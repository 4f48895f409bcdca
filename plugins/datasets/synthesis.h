// The parts that made-up sounds are put together from: filters, noise, decaying tones and bursts.
#pragma once

#include <cstdint>
#include <span>

#include "libcompress/base/random.h"

namespace compress {

/// A stretch of sound being made. Sounds are added to it; nothing is clipped.
struct Canvas {
  std::span<float> samples;
  double rate = 20000;  ///< Hz

  double seconds() const { return static_cast<double>(samples.size()) / rate; }
  /// Sample at this time, within the canvas.
  std::size_t at(double second) const;
};

/// Second order filter (R. Bristow-Johnson's audio EQ cookbook). Frequencies are kept below 0.45 of the rate.
class Biquad {
 public:
  static Biquad lowpass(double hz, double q, double rate);
  static Biquad highpass(double hz, double q, double rate);
  static Biquad bandpass(double hz, double q, double rate);  ///< 0 dB at hz

  float operator()(float x) {
    const double y = b0_ * x + s1_;
    s1_ = b1_ * x - a1_ * y + s2_;
    s2_ = b2_ * x - a2_ * y;
    return static_cast<float>(y);
  }

 private:
  Biquad(double b0, double b1, double b2, double a0, double a1, double a2);
  double b0_, b1_, b2_, a1_, a2_;
  double s1_ = 0;
  double s2_ = 0;
};

/// White noise, evenly distributed, power 1.
class Noise {
 public:
  explicit Noise(Random& random) : random_(random) {}
  float operator()();

 private:
  Random& random_;
  std::uint64_t bits_ = 0;
  int left_ = 0;
};

/// A phase that advances by a frequency that may change from sample to sample.
class Phase {
 public:
  explicit Phase(double rate, double turns = 0) : rate_(rate), turns_(turns) {}
  /// Turns in 0 .. 1 before the step.
  double step(double hz);

 private:
  double rate_;
  double turns_;
};

/// sin of a number of turns.
double sine(double turns);

/// A tone of `amplitude` that starts at `start_s` within 1 ms and falls to 1 / e in `decay_s`.
void add_ping(const Canvas& canvas, double start_s, double hz, double decay_s, double amplitude);

/// Noise through `filter` that starts at `start_s` and falls to 1 / e in `decay_s`.
void add_burst(const Canvas& canvas, double start_s, double decay_s, double amplitude, Biquad filter,
               Random& random);

/// Time to the next of events that come at random, `per_second` on average.
double waiting_time(double per_second, Random& random);

/// Evenly distributed on a logarithmic scale, for frequencies and speeds.
double log_uniform(double low, double high, Random& random);

/// Root mean square of the loudest tenth of the sound's 20 ms frames: how loud its events are.
double active_level(const Canvas& canvas);

}  // namespace compress
