// What a file of another framework holds, node by node, with what of it this project can read.
#pragma once

#include <string>
#include <vector>

namespace compress {

/// One node of a foreign file, in the file's own words.
struct ForeignNode {
  std::string name;  ///< the file's, or made from its first output
  std::string op;    ///< "Conv", "CONV_2D"
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  bool supported = true;
  std::string reason;  ///< why not; empty if supported
};

}  // namespace compress
