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

}  // namespace

std::optional<Target> target_of(const Recipe& recipe) {
  if (!recipe.exporting || !recipe.exporting->target) return std::nullopt;
  const auto& target = *recipe.exporting->target;
  return load_target(is_target_file(target) ? resolved(recipe, target).string() : target);
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

}  // namespace compress
