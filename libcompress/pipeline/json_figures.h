// Figures of steps as JSON values, the way state.json keeps them.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "libcompress/analysis/cost.h"
#include "libcompress/analysis/groups.h"
#include "libcompress/quant/compare.h"
#include "libcompress/quant/mixed_widths.h"
#include "libcompress/quant/sensitivity.h"
#include "libcompress/report/report.h"
#include "libcompress/strategy/plan.h"
#include "libcompress/train/evaluate.h"
#include "libcompress/train/trainer.h"

namespace compress {

nlohmann::json cost_json(const NetworkCost& cost);
nlohmann::json evaluation_json(const Evaluation& evaluation);
nlohmann::json history_json(const std::vector<EpochMetrics>& history);
nlohmann::json layers_json(const Graph& graph);
nlohmann::json groups_json(std::span<const PruningGroup> groups, const PruningPlan& plan);
nlohmann::json checks_json(const std::vector<Check>& checks);
std::vector<Check> checks_from(const nlohmann::json& checks);

/// One object a layer; "alone_db" where `alone` tells of it.
/// How a search for nodes with 16 bits went: {"wanted_db", "narrow_db", "widest_db", "reached_db", "nodes":
/// [{"node", "without_db", "bits"}]}.
nlohmann::json width_search_json(const WidthSearch& search);

nlohmann::json layer_errors_json(const NetworkDifference& difference,
                                 std::span<const LayerSensitivity> alone);

/// "x86_64, 2 cores".
std::string machine_text();

}  // namespace compress
