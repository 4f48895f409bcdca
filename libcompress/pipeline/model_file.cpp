#include "libcompress/pipeline/model_file.h"

#include <fmt/format.h>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/export/onnx_writer.h"
#include "libcompress/import/checkpoint.h"
#include "libcompress/import/onnx.h"
#include "libcompress/import/safetensors.h"
#include "libcompress/import/tflite.h"

namespace compress {
namespace {

constexpr std::string_view kGraphKey = "libcompress.graph";
constexpr std::string_view kNameKey = "libcompress.name";
constexpr std::string_view kOnnxEnding = ".onnx";
constexpr std::string_view kOwnEnding = ".safetensors";

Model from_own_file(const std::filesystem::path& path, Checkpoint checkpoint) {
  Model model;
  model.graph = graph_from_json(checkpoint.metadata.at(std::string(kGraphKey)), path.string());
  model.weights = std::move(checkpoint.tensors);
  for (auto& [name, tensor] : model.weights) tensor = tensor.to_float32();
  for (const auto& [key, value] : checkpoint.metadata) {
    if (key == kNameKey) model.name = value;
    if (key != kNameKey && key != kGraphKey) model.metadata[key] = value;
  }
  return model;
}

/// A file of weights: the graph is in it, or `family` knows it.
Model from_checkpoint(const std::filesystem::path& path, Checkpoint checkpoint, const ModelSource* family) {
  if (checkpoint.metadata.contains(std::string(kGraphKey))) return from_own_file(path, std::move(checkpoint));
  if (family != nullptr) return family->from_checkpoint(checkpoint);
  throw Error(ErrorKind::input, {path.string(), "weights without a graph",
                                 "a model that this program saved, ONNX or TensorFlow Lite",
                                 "name the model plugin it belongs to (--model)"});
}

Model read_any(const std::filesystem::path& path, const ModelSource* family,
               const std::map<std::string, Shape>& shapes) {
  const auto bytes = read_bytes(path);
  if (is_onnx(bytes)) return parse_onnx(bytes, path.string(), path.parent_path(), {{}, shapes});
  if (is_tflite(bytes)) return parse_tflite(bytes, path.string(), {shapes});
  return from_checkpoint(path, parse_checkpoint(bytes, path.string()), family);
}

}  // namespace

void save_model(const std::filesystem::path& path, const Model& model) {
  auto metadata = model.metadata;
  metadata[std::string(kGraphKey)] = graph_to_json(model.graph);
  metadata[std::string(kNameKey)] = model.name;
  write_safetensors(path, model.weights, metadata);
}

void save_weights(const std::filesystem::path& path, const Model& model) {
  write_safetensors(path, model.weights, model.metadata);
}

void check_ending(const std::filesystem::path& path) {
  const auto ending = path.extension().string();
  if (ending == kOnnxEnding || ending == kOwnEnding) return;
  throw Error(
      ErrorKind::usage,
      {path.string(), ending.empty() ? "a name without an ending" : fmt::format("the ending '{}'", ending),
       fmt::format("{} or {}", kOnnxEnding, kOwnEnding), ""});
}

void write_model(const std::filesystem::path& path, const Model& model) {
  check_ending(path);
  (path.extension() == kOnnxEnding ? write_onnx : save_model)(path, model);
}

Model load_model(const std::filesystem::path& path, const ModelSource* family,
                 const std::map<std::string, Shape>& shapes) {
  Model model = read_any(path, family, shapes);
  try {
    verify(model);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", path.string(), error.what()));
  }
  return model;
}

std::vector<ForeignNode> list_foreign(const std::filesystem::path& path,
                                      const std::map<std::string, Shape>& shapes) {
  const auto bytes = read_bytes(path);
  if (is_onnx(bytes)) return list_onnx(path, {{}, shapes});
  if (is_tflite(bytes)) return list_tflite(path, {shapes});
  return {};
}

}  // namespace compress
