// The networks of a run: files of its folder, and in memory those that the next step will ask for.
#pragma once

#include <list>
#include <string>
#include <string_view>
#include <utility>

#include "libcompress/graph/graph.h"
#include "libcompress/pipeline/run_folder.h"

namespace compress {

/// A schedule of a hundred steps reads the unpruned network and what the step before wrote a hundred times. A
/// file gives back exactly what was saved, so that it makes no difference where a network comes from.
class Checkpoints {
 public:
  explicit Checkpoints(RunFolder& folder) : folder_(folder) {}

  /// Written whole or not at all, while the caller goes on.
  void save(std::string_view name, const Model& model);

  /// Shares the weights' bytes: who changes them clones first.
  Model load(std::string_view name);

 private:
  Model& remember(std::string_view name, Model model);

  RunFolder& folder_;
  std::list<std::pair<std::string, Model>> newest_;  ///< used last first
};

}  // namespace compress
