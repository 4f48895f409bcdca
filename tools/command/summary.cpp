#include "tools/command/summary.h"

#include <fmt/format.h>

#include "tools/command/verb.h"

namespace compress::command {
namespace {

std::string bytes_text(const std::optional<std::int64_t>& bytes) { return bytes ? grouped(*bytes) : "-"; }

std::string accuracy_text(const NetworkFigures& network) {
  if (!network.accuracy) return "-";
  if (!network.total) return fmt::format("{:.2f}%", 100 * *network.accuracy);
  return fmt::format("{:.2f}% ({} of {})", 100 * *network.accuracy, *network.correct, *network.total);
}

}  // namespace

std::string summary_text(const RunReport& report, const std::filesystem::path& folder) {
  std::vector<std::vector<std::string>> rows = {
      {"network", "params", "MACs", "flash", "peak RAM", "accuracy"}};
  for (const auto& network : report.networks)
    rows.push_back({network.label, grouped(network.params), grouped(network.macs),
                    bytes_text(network.flash_bytes), bytes_text(network.peak_ram_bytes),
                    accuracy_text(network)});
  std::string text = table_text(rows) + "\n";
  for (const auto& check : report.checks)
    text += fmt::format("{:<8} {}: {}\n", name_of(check.verdict), check.name, check.detail);
  text += "\n";
  for (const char* file : {"report.json", "report.html", "c"}) {
    if (std::filesystem::exists(folder / file)) text += fmt::format("{}\n", (folder / file).string());
  }
  return text;
}

}  // namespace compress::command
