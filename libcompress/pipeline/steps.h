// The steps of a run, one function each. Each reads the models it needs from the run folder, writes what it
// makes there, and returns its figures as JSON, from which the report is made.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "libcompress/pipeline/pipeline.h"
#include "libcompress/pipeline/run_folder.h"
#include "libcompress/quant/quantized_graph.h"

namespace compress {

/// What every step works with.
struct Bench {
  const Recipe& recipe;
  const Plugins& plugins;
  Reporter& reporter;
  RunFolder& folder;
  const ModelSource* family;  ///< nullptr where the network is a file
  const DataSet& data;
  int threads = 1;

  std::uint64_t seed() const { return static_cast<std::uint64_t>(recipe.seed); }
  Model model(std::string_view checkpoint) const;
};

/// Names of steps are what the report shows; names of checkpoints are their files'.

/// -> checkpoints/original
nlohmann::json take_original(const Bench& bench);

/// Trains checkpoint `from` by `options` into `to`. `mask_sparsity` > 0 keeps that fraction of the weights,
/// the smallest, at zero. Goes on from the last finished epoch of an earlier try.
nlohmann::json train_model(const Bench& bench, const std::string& step, const std::string& from,
                           const std::string& to, const TrainOptions& options, double mask_sparsity);

/// Accuracy of a float checkpoint on the test part.
nlohmann::json measure_model(const Bench& bench, const std::string& step, const std::string& checkpoint);

/// One pruning step: groups, scores, plan, surgery, proof. -> checkpoints/`to` and plan-`to`.json
nlohmann::json prune_model(const Bench& bench, const std::string& step, const std::string& from,
                           const std::string& to, const Budget& budget);

/// Folds, calibrates, quantizes, compares layer by layer. -> quantized.safetensors
nlohmann::json quantize_model(const Bench& bench, const std::string& from);

/// Accuracy of the int8 reference executor on the test part.
nlohmann::json measure_int8(const Bench& bench);

/// -> c/
nlohmann::json export_code(const Bench& bench);

/// The compiled C against the int8 reference on the test part, byte by byte, and on a microcontroller in
/// QEMU.
nlohmann::json verify_code(const Bench& bench);

/// The report from what finished steps recorded.
RunReport make_report(const RunFolder& folder, const std::vector<FinishedStep>& steps, const Recipe& recipe);

}  // namespace compress
