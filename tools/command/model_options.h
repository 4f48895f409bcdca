// The arguments of verbs that take one network: a file, a model plugin, or both.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libcompress/pipeline/plugins.h"

namespace compress::command {

struct LoadedModel {
  Model model;
  std::unique_ptr<ModelSource> family;  ///< nullptr if no plugin was named
};

struct ModelArguments {
  std::string file;                  ///< a model this program saved, or a checkpoint
  std::string plugin;                ///< --model
  std::vector<std::string> options;  ///< --model-option key=value
  std::int64_t seed = 1;             ///< of fresh weights

  void declare(CLI::App& app);

  /// The file's network, or a fresh one of the plugin. Error of kind usage if neither is given.
  LoadedModel load(const Plugins& plugins) const;
};

/// "key=value" pairs read by the types of `table`. Error of kind usage naming `flag`.
std::map<std::string, OptionValue> read_options(const std::vector<std::string>& pairs,
                                                const OptionTable& table, const std::string& flag);

}  // namespace compress::command
