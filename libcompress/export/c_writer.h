// C99 for microcontrollers: the whole folder.
#pragma once

#include "libcompress/export/exporter.h"

namespace compress {

/// How the C keeps activations between layers.
enum class CMemory {
  whole,   ///< whole tensors
  stream,  ///< rows as far as that goes: see stream_plan.h
  least,   ///< whichever needs fewer bytes
};

/// Verifies the graph and writes a folder that a C compiler turns into the network: sources, weights,
/// kernels, test program, build files for a computer and for a Cortex-M4. The same request gives the same
/// text everywhere. Error of kind input naming the node that has no form in C, or a vector of the wrong size;
/// for CMemory::stream, a network whose first node cannot run row by row.
ExportResult write_c(const ExportRequest& request, CMemory memory = CMemory::whole);

struct StreamPlan;

/// The same with a plan of one's own; `request` is for plan.graph, or for the one that was swapped into it.
ExportResult write_c(const ExportRequest& request, const StreamPlan& plan);

}  // namespace compress
