#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "libcompress/base/error.h"
#include "libcompress/strategy/slice_sums.h"
#include "plugins/criteria/criteria.h"

namespace compress {
namespace {

/// Network Slimming (Liu et al., ICCV 2017): the absolute scale of an index' batch norm, summed over the
/// norms of the group. It tells most of a network trained with a penalty on these scales.
class BatchNormScale final : public Criterion {
 public:
  std::vector<Scores> score_all(std::span<const PruningGroup> groups,
                                const ScoringContext& context) const override {
    const auto scales = scales_of(context.model.graph);
    for (const auto& group : groups) check_scaled(group, scales);
    SliceSums sums([&](const Value& value) -> Terms {
      if (!scales.contains(value.id)) return {};
      return {Terms::Kind::absolute, context.model.weights.at(value.name).as<float>()};
    });
    return sums_of_groups(groups, context.model.graph, sums);
  }

 protected:
  Scores score(const PruningGroup& group, const ScoringContext& context) const override {
    return score_all({&group, 1}, context).front();
  }

 private:
  static std::set<ValueId> scales_of(const Graph& graph) {
    std::set<ValueId> scales;
    for (const auto& node : graph.nodes()) {
      if (node.op == "batch_norm") scales.insert(node.inputs.at(1));
    }
    return scales;
  }

  /// Without a norm an index would score 0 and go first, for no reason.
  static void check_scaled(const PruningGroup& group, const std::set<ValueId>& scales) {
    if (!group.prunable) return;
    const auto is_scaled = [&](std::size_t i) {
      return std::any_of(group.members.begin(), group.members.end(), [&](const GroupMember& member) {
        return scales.contains(member.axis.value) && !member.indices[i].empty();
      });
    };
    for (std::size_t i = 0; i < static_cast<std::size_t>(group.size); ++i) {
      if (!is_scaled(i))
        throw Error(ErrorKind::usage,
                    {fmt::format("criterion 'bn_scale', group '{}'", group.name),
                     fmt::format("no batch norm scales index {}", i), "a batch norm in every prunable group",
                     "take another criterion ('magnitude'), or leave the group alone (prune.ignore)"});
    }
  }
};

}  // namespace

void register_bn_scale(Catalog<Criterion>& catalog) {
  catalog.add("bn_scale", "absolute scale of the batch norms (Network Slimming, Liu et al., 2017)", {},
              [](const Options&) { return std::make_unique<BatchNormScale>(); });
}

}  // namespace compress
