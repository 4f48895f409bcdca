#include "libcompress/pipeline/model_file.h"

#include <fmt/format.h>

#include "libcompress/base/error.h"
#include "libcompress/import/checkpoint.h"
#include "libcompress/import/safetensors.h"

namespace compress {
namespace {

constexpr std::string_view kGraphKey = "libcompress.graph";
constexpr std::string_view kNameKey = "libcompress.name";

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

}  // namespace

void save_model(const std::filesystem::path& path, const Model& model) {
  auto metadata = model.metadata;
  metadata[std::string(kGraphKey)] = graph_to_json(model.graph);
  metadata[std::string(kNameKey)] = model.name;
  write_safetensors(path, model.weights, metadata);
}

Model load_model(const std::filesystem::path& path, const ModelSource* family) {
  Checkpoint checkpoint = read_checkpoint(path);
  Model model;
  if (checkpoint.metadata.contains(std::string(kGraphKey))) {
    model = from_own_file(path, std::move(checkpoint));
  } else if (family != nullptr) {
    model = family->from_checkpoint(checkpoint);
  } else {
    throw Error(ErrorKind::input, {path.string(), "weights without a graph", "a file that this program saved",
                                   "name the model plugin it belongs to (--model)"});
  }
  try {
    verify(model);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", path.string(), error.what()));
  }
  return model;
}

}  // namespace compress
