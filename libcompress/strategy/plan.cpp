#include "libcompress/strategy/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "libcompress/analysis/shrink.h"
#include "libcompress/base/error.h"
#include "libcompress/base/options.h"

namespace compress {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "libcompress plan 1";

[[noreturn]] void refuse(std::string where, std::string found, std::string allowed, std::string remedy = "") {
  throw Error(ErrorKind::input, {std::move(where), std::move(found), std::move(allowed), std::move(remedy)});
}

void verify_group(const GroupPlan& planned, const PruningGroup& group) {
  const auto where = fmt::format("plan, group '{}'", planned.group);
  if (!group.prunable) refuse(where, "a group that may not be pruned: " + group.reason, "prunable groups");
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

[[noreturn]] void refuse_unknown(const std::string& name, std::span<const PruningGroup> groups) {
  std::vector<std::string> known;
  for (const auto& group : groups) {
    if (group.prunable) known.push_back(group.name);
  }
  const auto near = nearest_name(name, known);
  refuse(fmt::format("plan, group '{}'", name), "no such group", "the graph's prunable groups",
         near.empty() ? "`libcompress groups` lists them" : fmt::format("did you mean '{}'?", near));
}

/// What `plan` says of each group it names.
std::map<std::string_view, const GroupPlan*> by_name(const PruningPlan& plan) {
  std::map<std::string_view, const GroupPlan*> planned;
  for (const auto& each : plan.groups) planned[each.group] = &each;
  return planned;
}

GroupDifference difference(const GroupPlan& first, const GroupPlan& second) {
  if (first.size != second.size)
    refuse(fmt::format("plans, group '{}'", first.group),
           fmt::format("{} indices in the one, {} in the other", first.size, second.size),
           "the same in both");
  GroupDifference result{first.group, first.size, {}, {}, {}};
  const auto &a = first.kept, &b = second.kept;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result.both));
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result.first_only));
  std::set_difference(b.begin(), b.end(), a.begin(), a.end(), std::back_inserter(result.second_only));
  return result;
}

GroupPlan whole(const GroupPlan& of) { return {of.group, of.size, all_indices(of.size)}; }

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
  std::map<std::string_view, const PruningGroup*> known;
  for (const auto& group : groups) known[group.name] = &group;
  std::set<std::string_view> seen;
  for (const auto& planned : plan.groups) {
    const auto found = known.find(planned.group);
    if (found == known.end()) refuse_unknown(planned.group, groups);
    if (!seen.insert(planned.group).second)
      refuse(fmt::format("plan, group '{}'", planned.group), "a second time", "each group once");
    verify_group(planned, *found->second);
  }
}

std::vector<GroupDifference> compare_plans(const PruningPlan& first, const PruningPlan& second) {
  if (first.graph != second.graph)
    refuse("plans", fmt::format("made for graphs {} and {}", first.graph, second.graph), "one graph",
           "indices of different networks mean different things");
  const auto in_first = by_name(first), in_second = by_name(second);
  std::vector<GroupDifference> all;
  for (const auto& group : first.groups) {
    const auto found = in_second.find(group.group);
    all.push_back(difference(group, found == in_second.end() ? whole(group) : *found->second));
  }
  for (const auto& group : second.groups) {
    if (!in_first.contains(group.group)) all.push_back(difference(whole(group), group));
  }
  return all;
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
  std::string text = fmt::format("{{\n\"format\": {}, \"graph\": {},\n\"groups\": [", Json(kFormat).dump(),
                                 Json(plan.graph).dump());
  for (std::size_t g = 0; g < plan.groups.size(); ++g) {
    const auto& group = plan.groups[g];
    const Json line = {{"group", group.group}, {"size", group.size}, {"kept", group.kept}};
    text += (g == 0 ? "\n" : ",\n") + line.dump();
  }
  return text + "\n]}\n";
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
