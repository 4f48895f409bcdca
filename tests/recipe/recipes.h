// Recipes that the tests share.
#pragma once

#include <string>

#include "libcompress/recipe/recipe.h"

namespace compress {

inline const std::string smallest_recipe =
    "version: 1\n"
    "model: {plugin: net}\n"
    "data: {plugin: sounds}\n";

/// Sets every key to something else than its default.
inline const std::string full_recipe = R"(# every key
version: 1
name: demo-1
seed: 7
threads: 2
plugins: [lib/mine.so, /opt/theirs.so]
model:
  plugin: net
  options:
    classes: 10
    channels: [8, 64, 32]
    dropout: 0.25
    wide: true
    label: "010"
    scales: [1.0, 2]
    names: [one, "two"]
  checkpoint: weights/net.safetensors
data:
  plugin: sounds
  options: {folds: 5}
train:
  epochs: 20
  batch_size: 32
  learning_rate: 0.05
  momentum: 0.8
  nesterov: false
  weight_decay: 1e-3
  warmup_epochs: 2
  schedule: cosine
  milestones: [0.5]
  gamma: 0.2
prune:
  criterion: {plugin: magnitude, options: {norm: 2}}
  strategy: {plugin: hybrid}
  budget: {params: 20%, flash: 96KB, macs: 10000000, peak_ram: 64KiB}
  tolerance: 0.5%
  round_to: 4
  min_channels: 2
  ratios: [conv3=50%, "block*=80%"]
  ignore: ["conv?", fc*]
  spatial: [conv2]
  stop_at_gate: true
  group_lasso: {strength: 0.02, epochs: 5, schedule: cosine}
  fine_tune: {epochs: 3, learning_rate: 0.01, distillation: {temperature: 3, weight: 0.9}}
quantize: {profile: tflite-micro, observer: percentile, percentile: 99.9, samples: 16}
export: {plugin: c, also: [tflite], name: demo_net, options: {}}
verify: {vectors: 4, clips: 3, microcontroller: off}
gate: {max_drop: 5.0, min_accuracy: 70}
)";

}  // namespace compress
