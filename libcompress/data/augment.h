// What is done to a sound before a network hears it: trimming, stretching, cropping, between-class mixing.
//
// Sounds are 16-bit samples, full scale 32768. Crops are float, divided by 32768.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "libcompress/base/random.h"

namespace compress {

using Samples = std::span<const std::int16_t>;

/// Without the leading and trailing samples that are exactly zero. Empty for silence.
Samples trimmed(Samples sound);

/// Samples of a sound after stretching by `scale`: floor(size * scale).
std::int64_t stretched_length(std::int64_t size, double scale);

/// Where a crop lies in a sound that was stretched and then zero-padded on both sides.
struct CropWindow {
  double scale = 1;          ///< > 1 is longer and lower
  std::int64_t padding = 0;  ///< zeros on each side, after stretching
  std::int64_t start = 0;    ///< first sample of the crop, counted from the first zero; may be negative
};

/// Fills `out` with the crop, divided by 32768; stretching interpolates linearly. Zeros beyond the padding.
void crop(Samples sound, const CropWindow& window, std::span<float> out);

/// A start drawn evenly from the places where the crop fits (or, for a short sound, where the sound fits).
std::int64_t random_start(std::int64_t length, std::int64_t crop_length, Random& random);

/// Starts of `count` equally spaced crops, the first at 0: i * ((length - crop_length) / (count - 1)),
/// integer division. One crop, or crops of a sound that is too short, are centred.
std::vector<std::int64_t> crop_starts(std::int64_t length, std::int64_t crop_length, std::int64_t count);

/// A-weighting in dB relative to 1 kHz (IEC 61672-1, analytic form).
double a_weighting_db(double frequency_hz);

/// Loudness of short sounds as between-class mixing wants it. Its methods may be called from several threads.
class LoudnessMeter {
 public:
  /// For sounds of `length` samples (at least 2). Frames are 2048 long, or the largest power of 2 that fits.
  LoudnessMeter(std::int64_t sample_rate, std::int64_t length);
  ~LoudnessMeter();
  LoudnessMeter(LoudnessMeter&&) noexcept;
  LoudnessMeter& operator=(LoudnessMeter&&) noexcept;

  /// Maximum over frames (Hann window, half overlapping) of the A-weighted power spectrum's sum, in dB, at
  /// least -80.
  double gain_db(std::span<const float> sound) const;

  std::int64_t frame() const { return frame_; }

 private:
  struct Fft;
  void powers(const float* first, const float* second, double& first_power, double& second_power) const;

  std::int64_t frame_;
  std::vector<float> window_;
  std::vector<float> weights_;  ///< power factors of bins 0 .. frame / 2
  std::unique_ptr<Fft> fft_;
};

/// Share of the first sound's samples in a mix that is heard as `ratio` : 1 - `ratio`
/// (Tokozume, Ushiku, Harada: Learning from Between-class Examples, ICLR 2018, equation 2):
/// 1 / (1 + 10^((gain1 - gain2) / 20) * (1 - ratio) / ratio).
double mixing_share(double gain1_db, double gain2_db, double ratio);

/// first = (share * first + (1 - share) * second) / sqrt(share^2 + (1 - share)^2), which keeps the energy.
void mix_into(std::span<float> first, std::span<const float> second, double share);

/// Times 10^(db / 20).
void apply_gain(std::span<float> sound, double db);

}  // namespace compress
