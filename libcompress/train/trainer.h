// Trains a model on a data set: SGD with momentum on the Kullback-Leibler divergence.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "libcompress/base/progress.h"
#include "libcompress/data/dataset.h"
#include "libcompress/graph/graph.h"
#include "libcompress/recipe/recipe.h"
#include "libcompress/train/state.h"

namespace compress {

struct TrainJob {
  TrainOptions options;
  std::uint64_t seed = 0;
  StateDict masks{};  ///< by parameter name, its shape, float32, 0 or 1: weights under a 0 become and stay 0

  /// Where the state is kept, or empty. If the file is there, training goes on from it: at the same number of
  /// threads (use_threads) with the same bits as if it had never stopped.
  std::filesystem::path state_file{};
  double save_every_seconds = 60;  ///< also saved when stopped and at the end

  std::string activity = "train";  ///< for progress
  Reporter* reporter = nullptr;    ///< progress by steps; asked to stop after each. nullptr: silent
  std::function<void(const EpochMetrics&)>
      on_epoch{};  ///< after each epoch; not again for those of a resumed state
};

struct TrainResult {
  Model model;                        ///< with the weights of the best epoch
  std::int64_t best_epoch = 0;        ///< from 1; 0 if nothing was trained
  std::vector<EpochMetrics> history;  ///< all epochs, also those before resuming
};

/// The epoch with the lowest validation loss wins; without a validation part the last one does. The test part
/// is not looked at. Numbers depend on the model, the data, the options, the seed and the number of threads
/// alone.
///
/// Errors: kind input if network and data do not fit, or the state file belongs to another job; kind recipe
/// for options out of range; kind accuracy if the loss is no longer a number; kind interrupted, after saving,
/// if the reporter asks to stop.
TrainResult train(const Model& model, const DataSet& data, const TrainJob& job);

}  // namespace compress
