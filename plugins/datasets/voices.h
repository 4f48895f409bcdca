// Ten kinds of everyday sound, made by calculation. Every clip draws its own pitch, speed, envelope and
// timbre.
#pragma once

#include <span>

#include "libcompress/base/random.h"
#include "plugins/datasets/synthesis.h"

namespace compress {

struct Voice {
  const char* name;
  /// Adds one sound to the canvas, at a level of its own.
  void (*sing)(const Canvas& canvas, Random& random);
};

/// siren, clock_tick, dog_bark, rain, engine, sea_waves, bird, footsteps, bell, fire: in order of the labels.
std::span<const Voice> voices();

}  // namespace compress
