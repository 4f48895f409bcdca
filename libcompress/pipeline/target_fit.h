// Whether a network fits the machine that a recipe exports for, told before training goes into it.
#pragma once

#include <optional>

#include "libcompress/analysis/cost.h"
#include "libcompress/export/exporter.h"
#include "libcompress/export/target.h"
#include "libcompress/graph/graph.h"
#include "libcompress/recipe/recipe.h"

namespace compress {

/// The recipe's `export.target`, or nothing. Error as load_target().
std::optional<Target> target_of(const Recipe& recipe);

/// The same without its RAM where the recipe asks an exporter for rows in place of whole tensors (option
/// `memory`): how much rows take is known when the network has 8 bits.
std::optional<Target> target_before_export(const Recipe& recipe);

/// Error of kind budget if the constants or the activations of `graph` need more than the target has: by how
/// much, the layers that need most, and the budget that fits. Code, stack and the caller's own memory come
/// on top of both, so that what just fits here may still be too large. Nothing without a target, or for one
/// without sizes.
void refuse_unfit(const std::optional<Target>& target, const Graph& graph);

/// The same of what was exported, to the byte: the largest tensors in place of layers.
void refuse_unfit(const std::optional<Target>& target, const ExportResult& result);

}  // namespace compress
