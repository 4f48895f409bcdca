// Random networks from the whole op table, movements that are hard on channels among them.
#pragma once

#include <string>
#include <vector>

#include "libcompress/base/random.h"
#include "libcompress/graph/graph.h"

namespace compress::testing {

/// A network of some ten operators, each drawn with equal chance from the table: groups and depthwise
/// filters, broadcasts, attention, rolls and shuffles over channels, pads and slices of channels, reshapes
/// that split and merge. All it makes is read by a linear layer in the end. Input [1, C, H, W].
Graph draw_from_op_table(Random& random);

/// The operators that draw_from_op_table() can draw.
std::vector<std::string> drawn_operators();

}  // namespace compress::testing
