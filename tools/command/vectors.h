// Recorded inputs for verbs that have no data set.
#pragma once

#include <cstdint>
#include <vector>

#include "libcompress/export/exporter.h"

namespace compress::command {

/// Inputs that reach every corner of the int8 range, the same in every call, with the reference's outputs.
std::vector<TestVector> random_vectors(const QuantizedGraph& graph, std::int64_t count);

}  // namespace compress::command
