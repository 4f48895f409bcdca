// The arguments of verbs that take one network: a file, a model plugin, or both.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libcompress/analysis/groups.h"
#include "libcompress/pipeline/plugins.h"

namespace compress::command {

struct LoadedModel {
  Model model;
  std::unique_ptr<ModelSource> family;  ///< nullptr if no plugin was named
};

struct ModelArguments {
  std::string file;                  ///< a model this program saved, an ONNX file, or a checkpoint
  std::string plugin;                ///< --model
  std::vector<std::string> options;  ///< --model-option key=value
  std::vector<std::string> shapes;   ///< --shape input=1,3,224,224
  std::int64_t seed = 1;             ///< of fresh weights

  void declare(CLI::App& app);

  /// The file's network, or a fresh one of the plugin. Error of kind usage if neither is given.
  LoadedModel load(const Plugins& plugins) const;

  /// The shapes of graph inputs that the user gave, by name.
  std::map<std::string, Shape> input_shapes() const;
};

/// The arguments of verbs that look for pruning groups.
struct GroupArguments {
  std::vector<std::string> ignore;   ///< --ignore PATTERN
  std::vector<std::string> spatial;  ///< --spatial PATTERN

  void declare(CLI::App& app);

  /// With the plugin's own choice of spatial nodes. A pattern that matches no node is an Error of kind usage.
  std::vector<PruningGroup> find(const LoadedModel& loaded) const;
};

/// "key=value" pairs read by the types of `table`. Error of kind usage naming `flag`.
std::map<std::string, OptionValue> read_options(const std::vector<std::string>& pairs,
                                                const OptionTable& table, const std::string& flag);

}  // namespace compress::command
