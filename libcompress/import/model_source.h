// A model plugin: makes a network of its family, fresh or from a checkpoint.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "libcompress/base/random.h"
#include "libcompress/graph/graph.h"
#include "libcompress/import/checkpoint.h"

namespace compress {

/// Plugin interface. The options of the plugin say which member of the family.
class ModelSource {
 public:
  virtual ~ModelSource() = default;

  /// A network with fresh weights drawn from `random`.
  virtual Model fresh(Random& random) const = 0;

  /// The network of `checkpoint`: widths come from its tensors. Error of kind input if it is not of this
  /// family.
  virtual Model from_checkpoint(const Checkpoint& checkpoint) const = 0;

  /// Nodes whose channels the model allows to be pruned although they become height or width (glob patterns).
  virtual std::vector<std::string> spatial_nodes() const { return {}; }

  /// Figures as the model's own paper counts them, for the report, by label.
  virtual std::map<std::string, double> paper_figures(const Graph&) const { return {}; }
};

}  // namespace compress
