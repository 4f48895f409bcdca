#include "libcompress/pipeline/json_figures.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace compress {

using nlohmann::json;

json cost_json(const NetworkCost& cost) {
  return {{"params", cost.params},
          {"macs", cost.macs},
          {"flash_bytes", cost.flash_bytes},
          {"peak_ram_bytes", cost.peak_ram_bytes}};
}

json evaluation_json(const Evaluation& evaluation) {
  return {{"correct", evaluation.correct},
          {"total", evaluation.total},
          {"accuracy", evaluation.accuracy()},
          {"loss", evaluation.loss},
          {"confusion", evaluation.confusion}};
}

json width_search_json(const WidthSearch& search) {
  json nodes = json::array();
  for (const auto& node : search.nodes)
    nodes.push_back({{"node", node.node}, {"without_db", node.without_db}, {"bits", node.wide ? 16 : 8}});
  return {{"wanted_db", search.wanted_db},
          {"narrow_db", search.narrow_db},
          {"widest_db", search.widest_db},
          {"reached_db", search.reached_db},
          {"nodes", nodes}};
}

json layer_errors_json(const NetworkDifference& difference, std::span<const LayerSensitivity> alone) {
  json rows = json::array();
  for (const auto& layer : difference.layers) {
    rows.push_back({{"layer", layer.value},
                    {"sqnr_db", layer.sqnr_db},
                    {"cosine", layer.cosine},
                    {"max_error", layer.max_abs_error},
                    {"bits", layer.bits}});
    for (const auto& each : alone) {
      if (each.value == layer.value) rows.back()["alone_db"] = each.sqnr_db;
    }
  }
  return rows;
}

json history_json(const std::vector<EpochMetrics>& history) {
  json epochs = json::array();
  for (const auto& metrics : history) epochs.push_back(json::parse(to_json_line(metrics)));
  return epochs;
}

json layers_json(const Graph& graph) {
  json layers = json::array();
  for (const auto& cost : cost_of(graph).nodes) {
    const Node& node = graph.node(cost.node);
    layers.push_back({{"name", node.name},
                      {"op", node.op},
                      {"shape", graph.value(node.output).shape},
                      {"params", cost.params},
                      {"macs", cost.macs}});
  }
  return layers;
}

json groups_json(std::span<const PruningGroup> groups, const PruningPlan& plan) {
  json rows = json::array();
  for (const auto& group : groups) {
    std::int64_t kept = group.size;
    for (const auto& each : plan.groups) {
      if (each.group == group.name) kept = static_cast<std::int64_t>(each.kept.size());
    }
    rows.push_back({{"name", group.name}, {"size", group.size}, {"kept", kept}, {"note", group.reason}});
  }
  return rows;
}

json checks_json(const std::vector<Check>& checks) {
  json rows = json::array();
  for (const auto& check : checks)
    rows.push_back({{"name", check.name}, {"verdict", name_of(check.verdict)}, {"detail", check.detail}});
  return rows;
}

std::vector<Check> checks_from(const json& rows) {
  std::vector<Check> checks;
  for (const auto& row : rows) {
    Check check{row.at("name"), Verdict::failed, row.at("detail")};
    for (const auto verdict : {Verdict::passed, Verdict::skipped}) {
      if (row.at("verdict") == name_of(verdict)) check.verdict = verdict;
    }
    checks.push_back(check);
  }
  return checks;
}

std::string machine_text() {
  utsname names{};
  uname(&names);
  return fmt::format("{} {}, {} cores", names.sysname, names.machine, sysconf(_SC_NPROCESSORS_ONLN));
}

}  // namespace compress
