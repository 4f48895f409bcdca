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

  /// The same for `model`, which must take its examples; nothing without --data.
  std::unique_ptr<DataSet> load_for(const Model& model, const Plugins& plugins) const;
};

/// Elements of one example of a network's input.
std::int64_t example_size(const Model& model);

struct QuantizeArguments {
  QuantizeOptions options{};
  std::uint64_t seed = 1;

  void declare(CLI::App& app);

  /// What calibration looks at: the examples of --inputs, or views of the train part of `data`. Error of kind
  /// usage where there is neither.
  std::vector<float> examples(const Model& model, const DataSet* data) const;

  Quantization quantized(const Model& model, std::vector<float> examples, const Plugins& plugins,
                         Terminal& terminal) const;
};

}  // namespace compress::command
