// Models on disk: safetensors whose metadata carries the graph, so that a pruned network needs no code to
// load.
#pragma once

#include <filesystem>

#include "libcompress/graph/graph.h"
#include "libcompress/import/model_source.h"

namespace compress {

/// Writes weights (float32), graph, name and metadata, whole or not at all.
void save_model(const std::filesystem::path& path, const Model& model);

/// A file that save_model() wrote, or any checkpoint that `family` understands (nullptr: only the former).
/// The result is verified. Error of kind input otherwise.
Model load_model(const std::filesystem::path& path, const ModelSource* family);

}  // namespace compress
