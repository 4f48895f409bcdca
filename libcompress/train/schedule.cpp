#include "libcompress/train/schedule.h"

#include <cmath>
#include <numbers>

namespace compress {

double learning_rate_at(const TrainOptions& options, std::int64_t epoch) {
  if (epoch < options.warmup_epochs) return options.learning_rate * 0.1;
  if (options.schedule == "cosine") {
    const auto behind = static_cast<double>(epoch - options.warmup_epochs);
    const auto all = static_cast<double>(options.epochs - options.warmup_epochs);
    return options.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * behind / all));
  }
  double rate = options.learning_rate;
  for (const auto milestone : options.milestones) {
    // A milestone of 0.3 of 10 epochs is epoch 3 even where 0.3 * 10 rounds above it.
    if (static_cast<double>(epoch) >= milestone * static_cast<double>(options.epochs) - 1e-9)
      rate *= options.gamma;
  }
  return rate;
}

}  // namespace compress
