// What `inspect` tells of a network that has 8 bits already.
#pragma once

#include "libcompress/quant/quantized_graph.h"
#include "tools/command/verb.h"

namespace compress::command {

/// Its layers with scales and zero points, its constants and the memory its C needs; `as_text`: the graph
/// first.
void print_int8(const Session& session, const QuantizedGraph& graph, bool as_text);

}  // namespace compress::command
