// Trains a model on a data set: SGD with momentum on the Kullback-Leibler divergence.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libcompress/analysis/groups.h"
#include "libcompress/base/progress.h"
#include "libcompress/data/dataset.h"
#include "libcompress/graph/graph.h"
#include "libcompress/recipe/recipe.h"
#include "libcompress/runtime/grid.h"
#include "libcompress/train/state.h"

namespace compress {

/// A network to learn from beside the targets (train/distillation.h). Borrows it.
struct Distillation {
  const Model& teacher;
  DistillationOptions options{};
};

/// A group lasso on the channels of prunable groups (train/group_lasso.h). Borrows them.
struct ChannelPenalty {
  std::span<const PruningGroup> groups;  ///< of the trained graph
  double strength = 0;
};

struct TrainJob {
  TrainOptions options;
  std::uint64_t seed = 0;
  StateDict masks{};  ///< by parameter name, its shape, float32, 0 or 1: weights under a 0 become and stay 0
  std::optional<Distillation> distillation{};
  std::optional<ChannelPenalty> penalty{};

  /// Trains the network as 8 bits compute it: parameters, inputs and activations that have a grid are read
  /// from it, gradients pass the rounding straight through. Grids of activations stay, those of parameters
  /// follow the weights. Norms that were not folded keep their running statistics, and nothing is dropped
  /// out.
  std::optional<Grids> rounding{};

  /// Where the state is kept, or empty. If the file is there, training goes on from it: at the same number of
  /// threads (use_threads) with the same bits as if it had never stopped.
  std::filesystem::path state_file{};
  double save_every_seconds = 60;  ///< also saved when stopped
  bool save_at_end = true;         ///< for one who may train on; needless where the result is saved

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

/// The epoch with the lowest validation loss wins. The last one does without a validation part, and with a
/// penalty, whose work that loss does not see. The test part is not looked at. Numbers depend on the model,
/// the data, the options, the seed and the number of threads alone.
///
/// Errors: kind input if network and data do not fit, or the state file belongs to another job; kind recipe
/// for options out of range; kind accuracy if the loss is no longer a number; kind interrupted, after saving,
/// if the reporter asks to stop.
TrainResult train(const Model& model, const DataSet& data, const TrainJob& job);

}  // namespace compress
