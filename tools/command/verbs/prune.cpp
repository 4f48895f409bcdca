#include <fmt/format.h>

#include <algorithm>

#include "libcompress/base/files.h"
#include "libcompress/pipeline/json_figures.h"
#include "libcompress/pipeline/model_file.h"
#include "libcompress/pipeline/one_shot.h"
#include "libcompress/pipeline/proof.h"
#include "libcompress/recipe/quantity.h"
#include "tools/command/figures.h"
#include "tools/command/model_options.h"
#include "tools/command/verb.h"

namespace compress::command {
namespace {

using nlohmann::json;

struct Arguments {
  ModelArguments model;
  GroupArguments groups;
  std::string amount;
  std::vector<std::string> budget;  ///< params=50%
  std::vector<std::string> criterion_options, strategy_options;
  std::string tolerance = "0.5%";
  std::string out, plan, apply;
  bool verbose = false;
  PruneOptions prune{.criterion = {"magnitude"}};
};

/// Fraction to remove of every group: "50%" or 0.5.
std::optional<double> amount_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (const auto percent = parse_percent(text); percent && *percent < 100) return *percent / 100;
  char* end = nullptr;
  const double fraction = std::strtod(text.c_str(), &end);
  if (*end == '\0' && fraction > 0 && fraction < 1) return fraction;
  throw Error(ErrorKind::usage,
              {"--amount", fmt::format("'{}'", text), "a percentage below 100%, such as 50%",
               "it is the part of every group to remove"});
}

void set_limit(BudgetOptions& budget, const std::string& text) {
  const auto equals = text.find('=');
  const auto name = text.substr(0, equals);
  const auto value = equals == std::string::npos ? "" : text.substr(equals + 1);
  const bool bytes = name == "flash" || name == "peak_ram";
  const auto limit = bytes ? parse_bytes_budget(value) : parse_count_budget(value);
  if (limit && name == "params")
    budget.params = limit;
  else if (limit && name == "macs")
    budget.macs = limit;
  else if (limit && name == "flash")
    budget.flash = limit;
  else if (limit && name == "peak_ram")
    budget.peak_ram = limit;
  else
    throw Error(ErrorKind::usage,
                {"--budget", fmt::format("'{}'", text),
                 "params, macs, flash or peak_ram with what to keep, as in params=50%", ""});
}

/// The arguments as the recipe's values.
PruneOptions options_of(const Arguments& arguments, const Plugins& plugins) {
  PruneOptions prune = arguments.prune;
  const auto& criterion = plugins.criteria.entry(prune.criterion.plugin).options;
  const auto& strategy = plugins.strategies.entry(prune.strategy.plugin).options;
  prune.criterion.options = read_options(arguments.criterion_options, criterion, "--criterion-option");
  prune.strategy.options = read_options(arguments.strategy_options, strategy, "--strategy-option");
  for (const auto& limit : arguments.budget) set_limit(prune.budget, limit);
  const auto tolerance = parse_percent(arguments.tolerance);
  if (!tolerance)
    throw Error(ErrorKind::usage,
                {"--tolerance", fmt::format("'{}'", arguments.tolerance), "such as 1%", ""});
  prune.tolerance_percent = *tolerance;
  for (const auto& ratio : prune.ratios) {
    if (!parse_ratio(ratio))
      throw Error(ErrorKind::usage, {"--ratio", fmt::format("'{}'", ratio),
                                     "a name pattern and a percentage, such as conv2=50%", ""});
  }
  return prune;
}

std::int64_t activation_bytes(const NetworkCost& cost) {
  std::int64_t bytes = 0;
  for (const auto& node : cost.nodes) bytes += node.activation_bytes;
  return bytes;
}

json whole_json(const NetworkCost& cost) {
  json object = cost_json(cost);
  object["activation_bytes"] = activation_bytes(cost);
  return object;
}

std::string costs_text(const OneShot& done) {
  const auto& before = done.before;
  const auto& after = done.after;
  return table_text(
      {{"", "before", "after", "of before"},
       cost_row("parameters", before.params, after.params),
       cost_row("MACs", before.macs, after.macs),
       cost_row("activations, bytes as int8", activation_bytes(before), activation_bytes(after)),
       cost_row("peak RAM, bytes as int8", before.peak_ram_bytes, after.peak_ram_bytes)});
}

json node_cost_json(const NodeCost& cost, const Shape& shape) {
  return {{"shape", shape},
          {"params", cost.params},
          {"macs", cost.macs},
          {"activation_bytes", cost.activation_bytes},
          {"ram_bytes", cost.ram_bytes}};
}

/// Pruning keeps nodes and their order.
json nodes_json(const Graph& graph, const OneShot& done) {
  json nodes = json::array();
  for (std::size_t i = 0; i < done.before.nodes.size(); ++i) {
    const Node& node = graph.node(done.before.nodes[i].node);
    const Node& small = done.pruned.graph.node(node.id);
    nodes.push_back(
        {{"name", node.name},
         {"op", small.op},
         {"before", node_cost_json(done.before.nodes[i], graph.value(node.output).shape)},
         {"after", node_cost_json(done.after.nodes[i], done.pruned.graph.value(small.output).shape)}});
  }
  return nodes;
}

std::string change(std::int64_t before, std::int64_t after) {
  return before == after ? grouped(before) : fmt::format("{} -> {}", grouped(before), grouped(after));
}

std::string nodes_text(const Graph& graph, const OneShot& done) {
  std::vector<std::vector<std::string>> rows = {
      {"node", "operator", "output", "params", "MACs", "bytes (int8)", "RAM meanwhile"}};
  for (std::size_t i = 0; i < done.before.nodes.size(); ++i) {
    const auto& before = done.before.nodes[i];
    const auto& after = done.after.nodes[i];
    const Node& node = graph.node(before.node);
    rows.push_back({node.name, node.op, to_string(done.pruned.graph.value(node.output).shape),
                    change(before.params, after.params), change(before.macs, after.macs),
                    change(before.activation_bytes, after.activation_bytes),
                    change(before.ram_bytes, after.ram_bytes)});
  }
  return table_text(rows) + "\n";
}

/// A line a group.
std::string groups_text(std::span<const PruningGroup> groups, const PruningPlan& plan) {
  std::vector<std::vector<std::string>> rows = {{"group", "width", "kept", "note"}};
  for (const auto& group : groups)
    rows.push_back({group.name, grouped(group.size), grouped(kept_of(plan, group)), note_of(group)});
  return table_text(rows) + "\n";
}

std::string checks_text(const std::vector<Check>& checks) {
  std::string text;
  for (const auto& check : checks)
    text += fmt::format("{:<7}  {}: {}\n", name_of(check.verdict), check.name, check.detail);
  return text;
}

void check_one_goal(const Arguments& arguments) {
  std::vector<std::string> given;
  if (!arguments.amount.empty()) given.push_back("--amount");
  if (!arguments.budget.empty()) given.push_back("--budget");
  if (!arguments.apply.empty()) given.push_back("--apply");
  if (given.size() == 1) return;
  throw Error(
      ErrorKind::usage,
      {"prune", given.empty() ? "nothing that says how much" : fmt::format("{}", fmt::join(given, " and ")),
       "one of --amount 50%, --budget params=50% or --apply plan.json", ""});
}

std::optional<PruningPlan> plan_file(const std::string& path) {
  if (path.empty()) return std::nullopt;
  return read_plan(path);
}

int prune_file(const Session& session, const Arguments& arguments) {
  check_one_goal(arguments);
  const auto amount = amount_of(arguments.amount);
  check_ending(arguments.out);  // before the work
  const PruneOptions prune = options_of(arguments, session.plugins);
  const auto loaded = arguments.model.load(session.plugins);
  const auto groups = arguments.groups.find(loaded);
  const auto given = plan_file(arguments.apply);
  const OneShot done =
      prune_once({loaded.model, groups, prune, amount, given ? &*given : nullptr, session.plugins,
                  loaded.family.get(), static_cast<std::uint64_t>(arguments.model.seed)});
  refuse_unproved("proof failed, nothing written", done.checks);
  write_model(arguments.out, done.pruned);
  if (!arguments.plan.empty()) write_file(arguments.plan, plan_to_json(done.plan));
  const json object = {{"out", arguments.out},
                       {"before", whole_json(done.before)},
                       {"after", whole_json(done.after)},
                       {"groups", groups_json(groups, done.plan)},
                       {"nodes", nodes_json(loaded.model.graph, done)},
                       {"checks", checks_json(done.checks)},
                       {"batch", batch_text(done.pruned.graph)}};
  std::string text = arguments.verbose ? nodes_text(loaded.model.graph, done) : "";
  text += groups_text(groups, done.plan) + costs_text(done) + "\n" + checks_text(done.checks) + "\n" +
          written_text(done.pruned.graph, arguments.out);
  session.print(object, text);
  return 0;
}

void declare(CLI::App& app, Arguments& arguments) {
  arguments.model.declare(app);
  arguments.groups.declare(app);
  app.add_option("--amount", arguments.amount, "part of every group to remove, such as 50%");
  app.add_option("--budget", arguments.budget,
                 "what to keep in all: params, macs, flash or peak_ram, as in --budget params=50%")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--apply", arguments.apply, "carry out this plan, a JSON file of `plan --out` or `--plan`");
  app.add_option("--criterion", arguments.prune.criterion.plugin, "criterion plugin that ranks the channels")
      ->capture_default_str();
  app.add_option("--criterion-option", arguments.criterion_options, "option of the criterion, key=value")
      ->allow_extra_args(false);
  app.add_option("--strategy", arguments.prune.strategy.plugin, "strategy plugin that spends a budget")
      ->capture_default_str();
  app.add_option("--strategy-option", arguments.strategy_options, "option of the strategy, key=value")
      ->allow_extra_args(false);
  app.add_option("--tolerance", arguments.tolerance, "how far below the tightest limit of a budget may be")
      ->capture_default_str();
  app.add_option("--round-to", arguments.prune.round_to, "kept widths are multiples of this many channels")
      ->check(CLI::Range(1, 1024));
  app.add_option("--min-channels", arguments.prune.min_channels, "no group gets narrower")
      ->check(CLI::Range(1, 65536));
  app.add_option("--ratio", arguments.prune.ratios,
                 "what groups keep of their width, whatever the strategy says, as in --ratio 'block*=80%'")
      ->allow_extra_args(false);
  app.add_option("--out", arguments.out, "the file to write: .onnx or .safetensors")->required();
  app.add_option("--plan", arguments.plan, "write what was kept to this JSON file");
  app.add_flag("--verbose", arguments.verbose, "show every node before and after");
}

}  // namespace

Verb prune_verb() {
  return {"prune", "Remove channels of any network at once, prove it, and write the smaller network",
          "libcompress prune network.onnx --amount 50% --out smaller.onnx", [](CLI::App& app) {
            auto arguments = std::make_shared<Arguments>();
            declare(app, *arguments);
            return [=](const Session& session) { return prune_file(session, *arguments); };
          }};
}

}  // namespace compress::command
