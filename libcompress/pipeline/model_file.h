// Models on disk. Our own files are safetensors whose metadata carries the graph, so that a pruned network
// needs no code to load; files of other frameworks are told apart by their content.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "libcompress/graph/graph.h"
#include "libcompress/import/foreign.h"
#include "libcompress/import/model_source.h"

namespace compress {

/// Writes weights (float32), graph, name and metadata as safetensors, whole or not at all.
void save_model(const std::filesystem::path& path, const Model& model);

/// The weights alone, for whoever has the network's code.
void save_weights(const std::filesystem::path& path, const Model& model);

/// As the ending says: .onnx or .safetensors. check_ending() throws an Error of kind usage for another one.
void write_model(const std::filesystem::path& path, const Model& model);
void check_ending(const std::filesystem::path& path);

/// A file that save_model() wrote, an ONNX or TensorFlow Lite file, or any checkpoint that `family`
/// understands (nullptr: none). `shapes` are those of graph inputs, by name, for files that leave extents
/// open (import/onnx.h, import/tflite.h). The result is verified. Error of kind input otherwise.
Model load_model(const std::filesystem::path& path, const ModelSource* family,
                 const std::map<std::string, Shape>& shapes = {});

/// Every node of a file of another framework, whether it can be read or not; empty for any other file.
std::vector<ForeignNode> list_foreign(const std::filesystem::path& path,
                                      const std::map<std::string, Shape>& shapes = {});

}  // namespace compress
