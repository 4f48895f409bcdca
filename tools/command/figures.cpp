#include "tools/command/figures.h"

#include <fmt/format.h>

#include "libcompress/base/files.h"
#include "libcompress/export/onnx_writer.h"
#include "tools/command/verb.h"

namespace compress::command {

std::vector<std::string> cost_row(const std::string& label, std::int64_t before, std::int64_t after) {
  const double percent =
      before > 0 ? 100.0 * static_cast<double>(after) / static_cast<double>(before) : 100.0;
  return {label, grouped(before), grouped(after), fmt::format("{:.2f}%", percent)};
}

PruningPlan read_plan(const std::filesystem::path& file) {
  return plan_from_json(read_text(file), file.string());
}

std::int64_t kept_of(const PruningPlan& plan, const PruningGroup& group) {
  for (const auto& each : plan.groups) {
    if (each.group == group.name) return static_cast<std::int64_t>(each.kept.size());
  }
  return group.size;
}

std::string note_of(const PruningGroup& group) {
  if (!group.prunable) return group.reason;
  return group.spatial ? "its channels become rows or columns further on" : "";
}

std::string batch_text(const Graph& graph) {
  const auto reason = fixed_batch_reason(graph);
  return reason.empty() ? "any" : "fixed: " + reason;
}

std::string written_text(const Graph& graph, const std::filesystem::path& file) {
  std::error_code unknown;
  const auto bytes = std::filesystem::file_size(file, unknown);
  const auto batch = batch_text(graph);
  return fmt::format("wrote {}, {} bytes, {}\n", file.string(), grouped(static_cast<std::int64_t>(bytes)),
                     batch == "any" ? "for any batch" : "batch " + batch);
}

}  // namespace compress::command
