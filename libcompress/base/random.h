// A random generator whose numbers are the same with every compiler and standard library.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace compress {

/// xoshiro256** seeded by splitmix64 (Blackman, Vigna 2018). A value: copy it to remember a state.
class Random {
 public:
  explicit Random(std::uint64_t seed = 0);

  /// A generator that depends on this seed and `stream` alone, not on how many numbers were drawn: gives
  /// every epoch, clip and layer its own reproducible numbers.
  static Random stream(std::uint64_t seed, std::uint64_t stream);

  std::uint64_t bits();
  double uniform();                            ///< [0, 1)
  double uniform(double low, double high);     ///< [low, high)
  std::int64_t below(std::int64_t bound);      ///< 0 .. bound - 1, unbiased; bound >= 1
  double normal();                             ///< mean 0, deviation 1 (Box-Muller, no cached half)
  void shuffle(std::span<std::size_t> items);  ///< Fisher-Yates

  using State = std::array<std::uint64_t, 4>;
  const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }

 private:
  State state_{};
};

}  // namespace compress
