// C99 for microcontrollers: the whole folder.
#pragma once

#include "libcompress/export/exporter.h"

namespace compress {

/// Verifies the graph and writes a folder that a C compiler turns into the network: sources, weights,
/// kernels, test program, build files for a computer and for a Cortex-M4. The same request gives the same
/// text everywhere. Error of kind input naming the node that has no form in C, or a vector of the wrong size.
ExportResult write_c(const ExportRequest& request);

}  // namespace compress
