// Pieces of output that several verbs share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "libcompress/analysis/groups.h"
#include "libcompress/graph/graph.h"
#include "libcompress/strategy/plan.h"

namespace compress::command {

/// A row of a table of costs: label, before, after, percent.
std::vector<std::string> cost_row(const std::string& label, std::int64_t before, std::int64_t after);

/// A plan from a JSON file of at most 64 MiB.
PruningPlan read_plan(const std::filesystem::path& file);

/// How many indices of `group` the plan keeps.
std::int64_t kept_of(const PruningPlan& plan, const PruningGroup& group);

/// Why a group stays, or that its channels become rows; else empty.
std::string note_of(const PruningGroup& group);

/// Of a model: "any", or why the batch is fixed.
std::string batch_text(const Graph& graph);

/// "wrote smaller.onnx, 12,345 bytes, for any batch".
std::string written_text(const Graph& graph, const std::filesystem::path& file);

}  // namespace compress::command
