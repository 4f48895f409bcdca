// The op table as people read it: `libcompress plugins --ops` and docs/operators.md.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "libcompress/graph/op.h"

namespace compress {

/// Operators that belong together.
struct OpFamily {
  std::string title;  ///< "Pools"
  std::vector<Op> ops;
};

/// All operators by family, in the order of the documentation.
std::vector<OpFamily> op_families();

/// How a node of `op` is written: "conv(input, weight, bias?)". `?` marks what may be left out, `...` what
/// may come more than once.
std::string signature_of(const Op& op);

/// "slope = 0.01", or the name alone where the attribute has to be given.
std::string default_of(const AttributeSpec& attribute);

/// One page with a table for each family.
std::string op_table_markdown();

}  // namespace compress
