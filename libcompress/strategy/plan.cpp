#include "libcompress/strategy/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "libcompress/analysis/shrink.h"
#include "libcompress/base/error.h"

namespace compress {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "libcompress plan 1";

[[noreturn]] void refuse(std::string where, std::string found, std::string allowed, std::string remedy = "") {
  throw Error(ErrorKind::input, {std::move(where), std::move(found), std::move(allowed), std::move(remedy)});
}

void verify_group(const GroupPlan& planned, const PruningGroup& group) {
  const auto where = fmt::format("plan, group '{}'", planned.group);
  if (planned.group != group.name) refuse(where, "a group in a wrong place", fmt::format("'{}'", group.name));
  if (planned.size != group.size)
    refuse(where, fmt::format("{} indices", planned.size), fmt::format("{}", group.size));
  const auto& kept = planned.kept;
  if (kept.empty()) refuse(where, "nothing kept", "at least one index");
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] < 0 || kept[i] >= group.size || (i > 0 && kept[i] <= kept[i - 1]))
      refuse(where, fmt::format("index {} at place {}", kept[i], i),
             fmt::format("ascending indices from 0 to {}", group.size - 1));
  }
}

}  // namespace

PruningPlan full_plan(const Graph& graph, std::span<const PruningGroup> groups) {
  PruningPlan plan{fingerprint(graph), {}};
  for (const auto& group : groups) {
    if (group.prunable) plan.groups.push_back({group.name, group.size, all_indices(group.size)});
  }
  return plan;
}

void verify_plan(const PruningPlan& plan, const Graph& graph, std::span<const PruningGroup> groups) {
  if (const auto expected = fingerprint(graph); plan.graph != expected)
    refuse("plan", fmt::format("made for graph {}", plan.graph), fmt::format("a plan for graph {}", expected),
           "make a plan for this network");
  std::size_t next = 0;
  for (const auto& group : groups) {
    if (!group.prunable) continue;
    if (next == plan.groups.size())
      refuse("plan", fmt::format("no group '{}'", group.name), "every prunable group");
    verify_group(plan.groups[next++], group);
  }
  if (next < plan.groups.size())
    refuse("plan", fmt::format("group '{}'", plan.groups[next].group), "the graph's prunable groups only");
}

std::string to_text(const PruningPlan& plan) {
  std::size_t width = 0;
  for (const auto& group : plan.groups) width = std::max(width, group.group.size());
  std::string text;
  for (const auto& group : plan.groups)
    text +=
        fmt::format("{:<{}}  {:>5} of {:>5}  ({:.1f} %)\n", group.group, width, group.kept.size(), group.size,
                    100.0 * static_cast<double>(group.kept.size()) / static_cast<double>(group.size));
  return text;
}

std::string plan_to_json(const PruningPlan& plan) {
  Json json;
  json["format"] = kFormat;
  json["graph"] = plan.graph;
  json["groups"] = Json::array();
  for (const auto& group : plan.groups)
    json["groups"].push_back({{"group", group.group}, {"size", group.size}, {"kept", group.kept}});
  return json.dump();
}

PruningPlan plan_from_json(std::string_view text, std::string_view where) {
  try {
    const Json json = Json::parse(text);
    if (json.at("format") != kFormat)
      refuse(std::string(where), "format " + json.at("format").dump(), fmt::format("\"{}\"", kFormat));
    PruningPlan plan;
    plan.graph = json.at("graph").get<std::string>();
    for (const auto& group : json.at("groups"))
      plan.groups.push_back({group.at("group").get<std::string>(), group.at("size").get<std::int64_t>(),
                             group.at("kept").get<std::vector<std::int64_t>>()});
    return plan;
  } catch (const nlohmann::json::exception& error) {
    refuse(std::string(where), std::string("no pruning plan: ") + error.what(),
           "the layout in docs/formats.md");
  }
}

}  // namespace compress
