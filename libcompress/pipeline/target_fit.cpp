#include "libcompress/pipeline/target_fit.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "libcompress/base/error.h"
#include "libcompress/export/c_text.h"

namespace compress {
namespace {

constexpr std::size_t kNamedLayers = 3;

/// One kind of memory, as the complaint names it.
struct Memory {
  std::string name, content, budget_key, on_top;
  std::int64_t needed = 0, there = 0;
  std::int64_t NodeCost::* share;  ///< by which layers are ranked
  std::string unit;                ///< of the share
};

/// "conv2 (12,345 parameters), conv5 (9,000 parameters)".
std::string largest_layers(const Graph& graph, std::vector<NodeCost> nodes, const Memory& memory) {
  std::stable_sort(nodes.begin(), nodes.end(),
                   [&](const NodeCost& a, const NodeCost& b) { return a.*memory.share > b.*memory.share; });
  nodes.resize(std::min(nodes.size(), kNamedLayers));
  std::vector<std::string> parts;
  for (const auto& node : nodes)
    parts.push_back(
        fmt::format("{} ({} {})", graph.node(node.node).name, grouped(node.*memory.share), memory.unit));
  return fmt::format("{}", fmt::join(parts, ", "));
}

void refuse_above(const Target& target, const Graph& graph, const NetworkCost& cost, const Memory& memory) {
  if (memory.needed <= memory.there) return;
  throw Error(ErrorKind::budget,
              {fmt::format("target '{}'", target.name),
               fmt::format("{} need {} bytes of {}, most in {}", memory.content, grouped(memory.needed),
                           memory.name, largest_layers(graph, cost.nodes, memory)),
               fmt::format("{} bytes", grouped(memory.there)),
               fmt::format("set prune.budget.{} to less than {}: {}", memory.budget_key, memory.there,
                           memory.on_top)});
}

/// "x (12,345), y (9,000)", in bytes.
std::string largest_tensors(std::vector<PlacedTensor> arena) {
  std::stable_sort(arena.begin(), arena.end(),
                   [](const PlacedTensor& a, const PlacedTensor& b) { return a.bytes > b.bytes; });
  arena.resize(std::min(arena.size(), kNamedLayers));
  std::vector<std::string> parts;
  for (const auto& tensor : arena)
    parts.push_back(fmt::format("{} ({})", tensor.name, grouped(tensor.bytes)));
  return fmt::format("{}", fmt::join(parts, ", "));
}

bool asks_for_rows(const PluginChoice& exporter) {
  const auto memory = exporter.options.find("memory");
  return memory != exporter.options.end() && memory->second != OptionValue(std::string("whole"));
}

}  // namespace

std::optional<Target> target_of(const Recipe& recipe) {
  if (!recipe.exporting || !recipe.exporting->target) return std::nullopt;
  const auto& target = *recipe.exporting->target;
  return load_target(is_target_file(target) ? resolved(recipe, target).string() : target);
}

std::optional<Target> target_before_export(const Recipe& recipe) {
  auto target = target_of(recipe);
  if (!target) return target;
  if (asks_for_rows(recipe.exporting->choice)) target->ram_bytes.reset();
  return target;
}

void refuse_unfit(const std::optional<Target>& target, const Graph& graph) {
  if (!target) return;
  const auto cost = cost_of(graph);
  if (target->flash_bytes)
    refuse_above(*target, graph, cost,
                 {"flash", "constants", "flash", "code comes on top", cost.flash_bytes, *target->flash_bytes,
                  &NodeCost::params, "parameters"});
  if (target->ram_bytes)
    refuse_above(*target, graph, cost,
                 {"RAM", "activations", "peak_ram", "stack and variables come on top", cost.peak_ram_bytes,
                  *target->ram_bytes, &NodeCost::ram_bytes, "bytes while it runs"});
}

void refuse_unfit(const std::optional<Target>& target, const ExportResult& result) {
  if (!target) return;
  const auto where = fmt::format("target '{}'", target->name);
  if (target->flash_bytes && result.constant_bytes > *target->flash_bytes)
    throw Error(ErrorKind::budget,
                {where, fmt::format("exported constants of {} bytes", grouped(result.constant_bytes)),
                 fmt::format("{} bytes of flash", grouped(*target->flash_bytes)),
                 "prune more (prune.budget.flash): code comes on top"});
  if (target->ram_bytes && result.arena_bytes > *target->ram_bytes)
    throw Error(ErrorKind::budget,
                {where,
                 fmt::format("an exported arena of {} bytes, most for {}", grouped(result.arena_bytes),
                             largest_tensors(result.arena)),
                 fmt::format("{} bytes of RAM", grouped(*target->ram_bytes)),
                 "export with memory 'auto', or prune more (prune.budget.peak_ram): stack and variables come "
                 "on top"});
}

}  // namespace compress
