// Training stopped between two steps, as a file: what resuming needs to go on as if nothing had happened.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "libcompress/graph/tensor.h"

namespace compress {

struct EpochMetrics {
  std::int64_t epoch = 0;  ///< from 1
  double learning_rate = 0;
  double train_loss = 0;                    ///< mean over the examples, in nats; of the blend with a teacher
  std::optional<double> penalty{};          ///< of the group lasso behind the epoch; not in train_loss
  double train_accuracy = 0;                ///< 0 to 1, on the augmented examples
  std::optional<double> validation_loss{};  ///< absent without a validation part
  std::optional<double> validation_accuracy{};  ///< 0 to 1
  double seconds = 0;                           ///< training and validation
  bool best = false;                            ///< so far
};

struct TrainState {
  std::string job;            ///< hash over network, options, seed, data and starting weights
  int threads = 0;            ///< that computed it; the same number goes on with the same bits
  std::int64_t epoch = 0;     ///< finished epochs
  std::int64_t step = 0;      ///< finished steps of the next one
  double loss_sum = 0;        ///< over the examples of these steps
  std::int64_t correct = 0;   ///< of these steps
  std::int64_t examples = 0;  ///< of these steps
  double seconds = 0;         ///< spent on these steps
  StateDict weights;
  StateDict momentum;  ///< by parameter name; empty without momentum
  StateDict
      best_weights;  ///< of the epoch with the lowest validation loss; empty before the first epoch ends
  std::vector<EpochMetrics> history;
};

/// A safetensors file: tensors "weights/NAME", "momentum/NAME", "best/NAME"; the rest is JSON in the metadata
/// "train_state". Written whole or not at all.
void save_train_state(const std::filesystem::path& path, const TrainState& state);

/// Error of kind input if the file is not such a state.
TrainState load_train_state(const std::filesystem::path& path);

/// The line of an epoch in a metrics file.
std::string to_json_line(const EpochMetrics& metrics);

}  // namespace compress
