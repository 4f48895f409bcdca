// What an importer makes of a foreign file, and what it says of what it cannot read.
#pragma once

#include <string>
#include <vector>

#include "libcompress/graph/graph.h"
#include "libcompress/import/foreign.h"

namespace compress {

struct Translated {
  Graph graph;
  StateDict weights;
  std::vector<std::string> failures;  ///< one sentence a node that could not be read, in order
  bool lacks_operator = false;        ///< one of them is about an operator that is not supported
  std::vector<ForeignNode> nodes;     ///< every node that was looked at
};

/// Error of kind input: the first failure and how many there are behind it. Where an operator is missing the
/// supported ones, `operators`, are listed.
[[noreturn]] void refuse(const std::string& file, const Translated& translated,
                         const std::vector<std::string>& operators);

}  // namespace compress
