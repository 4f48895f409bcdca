#include "libcompress/import/onnx.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/graph/canonicalize.h"
#include "libcompress/import/batch.h"
#include "libcompress/import/onnx/operators.h"
#include "libcompress/import/onnx/translation.h"
#include "libcompress/import/protobuf_wire.h"

namespace compress {
namespace {

using onnx::ModelRecord;
using onnx::Source;
using onnx::Translation;

/// A protobuf message of 2 GiB is the largest there can be; weights beyond that are external.
constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 31;

/// An input whose first extent neither the file nor the options fix.
bool has_free_batch(const ModelRecord& model, const OnnxOptions& options) {
  std::set<std::string_view> stored;
  for (const auto& initializer : model.graph.initializers) stored.insert(initializer.name);
  return std::any_of(model.graph.inputs.begin(), model.graph.inputs.end(), [&](const auto& input) {
    if (stored.contains(input.name) || options.constants.contains(std::string(input.name))) return false;
    const auto given = options.shapes.find(std::string(input.name));
    if (given != options.shapes.end() && !given->second.empty() && given->second[0] > 0) return false;
    return input.has_shape && !input.dims.empty() && input.dims[0].extent < 0;
  });
}

/// `one` example and, where the batch is open, `two`, which are translated first.
struct Both {
  Translated one;
  std::optional<Translated> two;
};

Translated checked(const Source& source, Translated translated) {
  if (!translated.failures.empty()) refuse(source.model().name, translated, onnx_operators());
  return translated;
}

Both translate(Source& source) {
  if (!has_free_batch(source.model(), source.options()))
    return {checked(source, Translation(source, 1).run(false)), std::nullopt};
  Translation larger(source, 2);
  auto two = larger.run(false);
  // Exporters write an open batch also where a node holds the number of examples, and so works for one only.
  if (!two.failures.empty()) return {checked(source, Translation(source, 1).run(false)), std::nullopt};
  return {checked(source, Translation(source, 1, &larger).run(false)), std::move(two)};
}

Graph with_batch(const Both& both) {
  if (!both.two) return with_fixed_batch(both.one.graph);
  return with_free_batch({both.one.graph, both.one.weights}, {both.two->graph, both.two->weights});
}

Model import(ModelRecord record, const std::filesystem::path& folder, const OnnxOptions& options) {
  Source source(std::move(record), folder, options);
  auto both = translate(source);
  const auto& file = source.model();
  Model model;
  try {
    model.graph = with_batch(both);
    model.weights = std::move(both.one.weights);
    model.name = file.graph.name.empty() ? std::string("network") : std::string(file.graph.name);
    for (const auto& [key, value] : file.metadata) model.metadata[std::string(key)] = value;
    model.metadata["format"] = fmt::format("ONNX, opset {}", file.opset);
    if (!file.producer.empty()) model.metadata["producer"] = std::string(file.producer);
    model = canonicalize(model);
    verify(model);
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with(file.name)) throw;
    throw Error(error.kind(), fmt::format("{}: {}", file.name, error.what()));
  }
  return model;
}

}  // namespace

Model read_onnx(const std::filesystem::path& path, const OnnxOptions& options) {
  return parse_onnx(read_bytes(path, kLargestFile), path.string(), path.parent_path(), options);
}

Model parse_onnx(std::span<const std::byte> bytes, const std::string& name,
                 const std::filesystem::path& folder, const OnnxOptions& options) {
  return import(onnx::parse_model(bytes, name), folder.empty() ? "." : folder, options);
}

std::vector<ForeignNode> list_onnx(const std::filesystem::path& path, const OnnxOptions& options) {
  const auto bytes = read_bytes(path, kLargestFile);
  const auto folder = path.parent_path().empty() ? std::filesystem::path(".") : path.parent_path();
  Source source(onnx::parse_model(bytes, path.string()), folder, options);
  return Translation(source, 1).run(true).nodes;
}

std::vector<std::string> onnx_operators() {
  std::set<std::string> names;
  for (const auto& row : onnx::all_operators()) names.emplace(row.name);
  for (const auto name : onnx::foldable_operators()) names.emplace(name);
  return {names.begin(), names.end()};
}

bool is_onnx(std::span<const std::byte> bytes) {
  // Field 1, the IR version, a small number; then fields of ModelProto with their own wire types up to the
  // graph.
  if (bytes.size() < 4 || bytes[0] != std::byte{0x08} || bytes[1] == std::byte{0} ||
      bytes[1] > std::byte{0x20})
    return false;
  try {
    ByteReader reader(bytes, "file");
    ProtobufMessage message(reader);
    while (message.next()) {
      if (message.field() == 7) return true;  // a graph that is cut short is for the reader to tell
      if (message.field() > 64) return false;
      message.skip();
    }
  } catch (const Error&) {
  }
  return false;
}

}  // namespace compress
