// The arguments of verbs that take a data set, and of those that quantize on it.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "libcompress/pipeline/plugins.h"
#include "libcompress/quant/quantize.h"
#include "libcompress/recipe/recipe.h"
#include "tools/command/terminal.h"

namespace compress::command {

struct DataArguments {
  std::string data;                  ///< "esc:DIR" or "sounds"
  std::vector<std::string> options;  ///< --data-option key=value
  std::string folds;                 ///< --folds, short for --data-option test_folds=...

  void declare(CLI::App& app, bool required);

  /// A data set for a network of `outputs` outputs: where it has an option `classes` that the user left open,
  /// its targets are numbered to fit.
  std::unique_ptr<DataSet> load(const Plugins& plugins, std::int64_t outputs) const;
};

struct QuantizeArguments {
  QuantizeOptions options{};
  std::uint64_t seed = 1;

  void declare(CLI::App& app);

  /// Calibrated on views of the train part.
  Quantization quantized(const Model& model, const DataSet& data, const Plugins& plugins,
                         Terminal& terminal) const;
};

}  // namespace compress::command
