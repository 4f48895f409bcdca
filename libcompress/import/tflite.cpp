#include "libcompress/import/tflite.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/graph/canonicalize.h"
#include "libcompress/import/batch.h"
#include "libcompress/import/bytes.h"
#include "libcompress/import/tflite/operators.h"
#include "libcompress/import/tflite/schema.h"
#include "libcompress/import/tflite/translation.h"

namespace compress {
namespace {

using tflite::FileRecord;
using tflite::Translation;

/// A FlatBuffer cannot be larger.
constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 31;

/// An input whose first extent neither the file nor the options fix.
bool has_free_batch(const FileRecord& file, const TfliteOptions& options) {
  return std::any_of(file.inputs.begin(), file.inputs.end(), [&](auto input) {
    const auto& record = file.tensors[static_cast<std::size_t>(input)];
    const auto given = options.shapes.find(std::string(record.name));
    if (given != options.shapes.end() && !given->second.empty() && given->second[0] > 0) return false;
    return record.signature.size() == record.shape.size() && !record.signature.empty() &&
           record.signature[0] == -1;
  });
}

/// The whole file is what is wrong, not the operator that meets it first.
[[noreturn]] void refuse_file(const FileRecord& file, const Translated& translated) {
  if (const auto* tensor = tflite::quantized_tensor(file))
    throw Error(ErrorKind::input,
                {file.file,
                 fmt::format("a quantized network: tensor {} holds {}", in_quotes(tensor->name),
                             tflite::name_of(tensor->type)),
                 "TensorFlow Lite files that compute in FLOAT32",
                 "export an INT8 network as it is; to prune it, convert the network without quantization"});
  refuse(file.file, translated, tflite_operators());
}

/// Files declare an open batch also where a reshape inside fixes it: those run at the batch that they fix.
Graph with_batch(const FileRecord& file, const TfliteOptions& options, const Translated& one) {
  if (has_free_batch(file, options)) {
    try {
      const auto two = Translation(file, options, 2).run(false);
      if (two.failures.empty()) return with_free_batch({one.graph, one.weights}, {two.graph, two.weights});
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
    }
  }
  return with_fixed_batch(one.graph);
}

Model import(const FileRecord& file, const TfliteOptions& options) {
  Model model;
  try {
    auto translated = Translation(file, options, 1).run(false);
    if (!translated.failures.empty()) refuse_file(file, translated);
    model.graph = with_batch(file, options, translated);
    model.weights = std::move(translated.weights);
    model.name = file.name.empty() ? std::string("network") : readable_name(file.name);
    model.metadata["format"] = "TensorFlow Lite";
    if (!file.description.empty()) model.metadata["producer"] = readable_name(file.description);
    model = canonicalize(model);
    verify(model);
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with(file.file)) throw;
    throw Error(error.kind(), fmt::format("{}: {}", file.file, error.what()));
  }
  return model;
}

}  // namespace

Model read_tflite(const std::filesystem::path& path, const TfliteOptions& options) {
  return parse_tflite(read_bytes(path, kLargestFile), path.string(), options);
}

Model parse_tflite(std::span<const std::byte> bytes, const std::string& name, const TfliteOptions& options) {
  const auto copy = tflite::aligned_copy(bytes);
  return import(tflite::parse_file(copy.empty() ? bytes : std::span(copy), name), options);
}

std::vector<ForeignNode> list_tflite(const std::filesystem::path& path, const TfliteOptions& options) {
  const auto bytes = read_bytes(path, kLargestFile);
  return Translation(tflite::parse_file(bytes, path.string()), options, 1).run(true).nodes;
}

std::vector<std::string> tflite_operators() {
  std::vector<std::string> names;
  for (const auto& row : tflite::all_operators()) names.emplace_back(row.name);
  return names;
}

bool is_tflite(std::span<const std::byte> bytes) { return tflite::has_identifier(bytes); }

}  // namespace compress
