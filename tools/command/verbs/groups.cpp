#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "libcompress/analysis/group_cost.h"
#include "tools/command/figures.h"
#include "tools/command/model_options.h"
#include "tools/command/verb.h"

namespace compress::command {
namespace {

using nlohmann::json;

struct Arguments {
  ModelArguments model;
  GroupArguments groups;
};

std::string axis_name(const Graph& graph, const Axis& axis) {
  return fmt::format("{}:{}", graph.value(axis.value).name, axis.dimension);
}

json group_json(const Graph& graph, const PruningGroup& group, const GroupCost& cost) {
  json members = json::array();
  for (const auto& member : group.members)
    members.push_back({{"tensor", graph.value(member.axis.value).name},
                       {"axis", member.axis.dimension},
                       {"indices", member.indices.as_vectors()}});
  return {{"name", group.name},
          {"size", group.size},
          {"prunable", group.prunable},
          {"reason", group.reason},
          {"spatial", group.spatial},
          {"smallest", group.smallest},
          {"members", members},
          {"params", cost.params},
          {"bytes", cost.bytes},
          {"macs", cost.macs},
          {"params_an_index", cost.params_an_index},
          {"macs_an_index", cost.macs_an_index}};
}

/// "    a:0, b:1, ..." in lines of a terminal's width.
std::string members_text(const Graph& graph, const PruningGroup& group) {
  constexpr std::size_t kWidth = 100;
  const std::string indent(4, ' ');
  std::string text, line;
  for (const auto& member : group.members) {
    const auto name = axis_name(graph, member.axis);
    if (!line.empty() && line.size() + name.size() > kWidth) {
      text += indent + line + ",\n";
      line.clear();
    }
    line += (line.empty() ? "" : ", ") + name;
  }
  return text + indent + line + "\n";
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = text.find('\n', from);
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return lines;
}

/// A line a group with its members below it.
std::string groups_text(const Graph& graph, const std::vector<PruningGroup>& groups,
                        const std::vector<GroupCost>& costs) {
  std::vector<std::vector<std::string>> rows = {
      {"group", "size", "params", "bytes (float32)", "MACs", "params an index", "MACs an index", "note"}};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto& cost = costs[i];
    rows.push_back({groups[i].name, grouped(groups[i].size), grouped(cost.params), grouped(cost.bytes),
                    grouped(cost.macs), grouped(std::llround(cost.params_an_index)),
                    grouped(std::llround(cost.macs_an_index)),
                    groups[i].prunable ? note_of(groups[i]) : "stays: " + groups[i].reason});
  }
  const auto lines = lines_of(table_text(rows));
  std::string text = lines.front() + "\n";
  for (std::size_t i = 0; i < groups.size(); ++i)
    text += lines[i + 1] + "\n" + members_text(graph, groups[i]);
  return text;
}

int list_groups(const Session& session, const Arguments& arguments) {
  const auto loaded = arguments.model.load(session.plugins);
  const Graph& graph = loaded.model.graph;
  const auto groups = arguments.groups.find(loaded);
  const auto costs = cost_of_groups(graph, groups);
  json object = {{"name", loaded.model.name}, {"groups", json::array()}};
  for (std::size_t i = 0; i < groups.size(); ++i)
    object["groups"].push_back(group_json(graph, groups[i], costs[i]));
  const auto prunable =
      std::count_if(groups.begin(), groups.end(), [](const auto& each) { return each.prunable; });
  object["prunable"] = prunable;
  std::string text = groups.empty() ? "" : groups_text(graph, groups, costs) + "\n";
  text += prunable > 0
              ? fmt::format("{} of {} groups may be pruned\n", prunable, groups.size())
              : fmt::format("no group may be pruned: {}\n",
                            groups.empty() ? "no weight makes an axis" : "the notes give the reasons");
  session.print(object, text);
  return 0;
}

}  // namespace

Verb groups_verb() {
  return {"groups",
          "Show which channels can only be removed together, what they weigh, and what stays and why",
          "libcompress groups network.onnx", [](CLI::App& app) {
            auto arguments = std::make_shared<Arguments>();
            arguments->model.declare(app);
            arguments->groups.declare(app);
            return [=](const Session& session) { return list_groups(session, *arguments); };
          }};
}

}  // namespace compress::command
