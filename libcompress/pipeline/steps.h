// The steps of a run, one function each. Each reads the models it needs from the run folder, writes what it
// makes there, and returns its figures as JSON, from which the report is made.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libcompress/analysis/groups.h"
#include "libcompress/pipeline/checkpoints.h"
#include "libcompress/pipeline/pipeline.h"
#include "libcompress/pipeline/run_folder.h"
#include "libcompress/quant/quantized_graph.h"
#include "libcompress/strategy/budget.h"
#include "libcompress/train/trainer.h"

namespace compress {

/// What every step works with.
struct Bench {
  const Recipe& recipe;
  const Plugins& plugins;
  Reporter& reporter;
  RunFolder& folder;
  Checkpoints& checkpoints;   ///< of the folder
  const ModelSource* family;  ///< nullptr where the network is a file
  const DataSet& data;
  int threads = 1;

  std::uint64_t seed() const { return static_cast<std::uint64_t>(recipe.seed); }
  Model model(std::string_view checkpoint) const { return checkpoints.load(checkpoint); }
};

/// Names of steps are what the report shows; names of checkpoints are their files'.

/// -> checkpoints/original
nlohmann::json take_original(const Bench& bench);

/// A training as a step of a run.
struct TrainStep {
  std::string name{};        ///< of the step
  std::string from{}, to{};  ///< checkpoints
  TrainOptions options{};
  double sparsity = 0;    ///< above 0: that fraction of the weights, the smallest, is kept at zero
  std::string teacher{};  ///< the checkpoint that is learned from
  std::optional<DistillationOptions> distillation{};  ///< how; nothing: from the targets alone
  std::optional<double> group_lasso{};                ///< strength of the penalty on channels
};

/// A job that keeps its state in the run folder and tells of its epochs there; `to` is what it makes.
TrainJob job_of(const Bench& bench, const std::string& activity, const std::string& to);

/// Records the step `name`, then removes the state of the job that made `to`: a kill in between repeats no
/// more than what came after the state.
void record_training(const Bench& bench, const std::string& name, const std::string& to,
                     const std::function<nlohmann::json()>& work);

/// Goes on from the last save of an earlier try.
void train_step(const Bench& bench, const TrainStep& step);

/// Accuracy of a float checkpoint on the test part.
nlohmann::json measure_model(const Bench& bench, const std::string& step, const std::string& checkpoint);

/// Accuracy of a float checkpoint on the validation part.
nlohmann::json validate_model(const Bench& bench, const std::string& step, const std::string& checkpoint);

/// Sparsifies, prunes and fine-tunes checkpoint `from` as the strategy's schedule says; returns the name of
/// the last checkpoint. If the recipe stops at the gate that is the last one that passed it on the validation
/// part: the step behind then has in "note" what happened and in "rejected" the pruning steps that do not
/// count. Error of kind accuracy if none passed.
std::string prune_in_steps(const Bench& bench, const std::string& from);

/// What networks are compared on after pruning: views of training clips, [count, the data set's input shape].
std::vector<float> proof_views(const Bench& bench);

/// A pruning as a step of a run. What is the same for all steps of a schedule is borrowed.
struct PruneStep {
  std::string name;      ///< of the step
  std::string from, to;  ///< checkpoints
  Budget budget;
  const GroupOptions& allowed;
  std::span<const PruningGroup> unpruned;  ///< groups of the network before the first step
  std::span<const float> proof_views;
};

/// Groups, scores, plan, surgery, proof. -> checkpoints/`to` and plan-`to`.json
nlohmann::json prune_step(const Bench& bench, const PruneStep& step);

/// Folds, calibrates, quantizes, trains in 8 bits if the recipe says so, compares layer by layer.
/// -> quantized.safetensors. Training goes on from the last save of an earlier try.
void quantize_step(const Bench& bench, const std::string& from);

/// Accuracy of the int8 reference executor on the test part.
nlohmann::json measure_int8(const Bench& bench);

/// What quantize_step() left.
QuantizedGraph quantized_network(const Bench& bench);

/// "params", "macs" and "flash_bytes" of an 8-bit network.
nlohmann::json int8_cost(const QuantizedGraph& graph);

/// What the exporter makes of the 8-bit network. -> EXPORTER/
nlohmann::json export_files(const Bench& bench, const PluginChoice& exporter);

/// What the exporter made against the int8 reference on the test part, byte by byte, as its own proof has it;
/// C also on a microcontroller in QEMU.
nlohmann::json verify_export(const Bench& bench, const PluginChoice& exporter);

/// The report from what finished steps recorded.
RunReport make_report(const RunFolder& folder, const std::vector<FinishedStep>& steps, const Recipe& recipe);

}  // namespace compress
