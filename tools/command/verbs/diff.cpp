#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "libcompress/strategy/plan.h"
#include "tools/command/figures.h"
#include "tools/command/verb.h"

namespace compress::command {
namespace {

using nlohmann::json;

struct Arguments {
  std::string first, second;
};

/// Indices as ranges: "0-3, 7".
std::string ranges(const std::vector<std::int64_t>& indices) {
  std::string text;
  for (std::size_t i = 0; i < indices.size();) {
    std::size_t last = i;
    while (last + 1 < indices.size() && indices[last + 1] == indices[last] + 1) ++last;
    text += text.empty() ? "" : ", ";
    text += last == i ? fmt::format("{}", indices[i]) : fmt::format("{}-{}", indices[i], indices[last]);
    i = last + 1;
  }
  return text;
}

int diff(const Session& session, const Arguments& arguments) {
  const auto differences = compare_plans(read_plan(arguments.first), read_plan(arguments.second));
  json object = {{"same", true}, {"groups", json::array()}};
  std::vector<std::vector<std::string>> rows = {
      {"group", "width", "first keeps", "second keeps", "only the first", "only the second"}};
  for (const auto& each : differences) {
    const auto in_first = static_cast<std::int64_t>(each.both.size() + each.first_only.size());
    const auto in_second = static_cast<std::int64_t>(each.both.size() + each.second_only.size());
    object["groups"].push_back({{"group", each.group},
                                {"size", each.size},
                                {"both", each.both},
                                {"first_only", each.first_only},
                                {"second_only", each.second_only}});
    if (each.first_only.empty() && each.second_only.empty()) continue;
    object["same"] = false;
    rows.push_back({each.group, grouped(each.size), grouped(in_first), grouped(in_second),
                    ranges(each.first_only), ranges(each.second_only)});
  }
  const auto differing = rows.size() - 1;
  const auto closing = fmt::format("{} of {} groups differ\n", differing, differences.size());
  session.print(object, differing == 0 ? "the plans keep the same\n" : table_text(rows) + "\n" + closing);
  return 0;
}

}  // namespace

Verb diff_verb() {
  return {"diff", "Show where two pruning plans of one network keep different channels",
          "libcompress diff plan-a.json plan-b.json", [](CLI::App& app) {
            auto arguments = std::make_shared<Arguments>();
            app.add_option("first", arguments->first, "a plan: a JSON file of `plan --out` or `prune --plan`")
                ->required();
            app.add_option("second", arguments->second, "another")->required();
            return [=](const Session& session) { return diff(session, *arguments); };
          }};
}

}  // namespace compress::command
