#include "libcompress/analysis/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "libcompress/analysis/coupling.h"
#include "libcompress/analysis/shrink.h"
#include "libcompress/base/error.h"

namespace compress {
namespace {

/// All cells of one root: by axis the indices that go together.
using CellClass = std::map<Axis, std::vector<std::int64_t>>;

std::map<CellId, CellClass> classes_of(const Coupling& coupling) {
  std::map<CellId, CellClass> classes;
  for (const auto& [axis, cells] : coupling.cells) {
    for (std::size_t i = 0; i < cells.size(); ++i)
      classes[coupling.root[static_cast<std::size_t>(cells[i])]][axis].push_back(
          static_cast<std::int64_t>(i));
  }
  return classes;
}

/// Classes that may form one group: the same maker, the same axes, the same fate.
struct Signature {
  int maker;
  std::vector<Axis> axes;
  std::string pinned;
  bool spatial;
  auto key() const { return std::tie(maker, axes, pinned, spatial); }
  bool operator<(const Signature& other) const { return key() < other.key(); }
};

std::map<Signature, std::vector<CellClass>> partition(const Coupling& coupling) {
  std::map<Signature, std::vector<CellClass>> parts;
  for (auto& [root, cells] : classes_of(coupling)) {
    const auto at = static_cast<std::size_t>(root);
    if (coupling.maker[at] < 0) continue;  // an input channel or a kernel's window: no node makes it
    Signature signature{coupling.maker[at], {}, coupling.pinned[at], !coupling.spatial[at].empty()};
    for (const auto& [axis, indices] : cells) signature.axes.push_back(axis);
    parts[signature].push_back(cells);
  }
  return parts;
}

/// The axis that the maker's output carries: of its parameters the first, along dimension 0.
Axis leading_axis(const Graph& graph, const Node& maker, const std::vector<Axis>& axes) {
  for (const auto input : maker.inputs) {
    for (const auto& axis : axes) {
      if (axis.value == input && axis.dimension == 0 && graph.value(input).shape.size() > 1) return axis;
    }
  }
  return axes.front();
}

PruningGroup make_group(const Graph& graph, const Node& maker, const Signature& signature,
                        std::vector<CellClass> classes) {
  PruningGroup group;
  group.name = maker.name;
  group.size = static_cast<std::int64_t>(classes.size());
  group.prunable = signature.pinned.empty();
  group.reason = signature.pinned;
  group.spatial = signature.spatial;
  if (group.prunable && group.size == 1) {
    group.prunable = false;
    group.reason = "all of it goes together or not at all";
  }
  const Axis lead = leading_axis(graph, maker, signature.axes);
  std::sort(classes.begin(), classes.end(),
            [&](const CellClass& a, const CellClass& b) { return a.at(lead) < b.at(lead); });
  std::vector<Axis> axes = {lead};
  for (const auto& axis : signature.axes) {
    if (axis != lead) axes.push_back(axis);
  }
  for (const auto& axis : axes) {
    GroupMember member{axis, {}};
    for (const auto& cells : classes) member.indices.push_back(cells.at(axis));
    group.members.push_back(std::move(member));
  }
  return group;
}

void make_names_unique(std::vector<PruningGroup>& groups) {
  std::map<std::string, int> seen;
  for (auto& group : groups) {
    if (const int count = ++seen[group.name]; count > 1) group.name += fmt::format("#{}", count);
  }
}

const std::string& spatial_reason(const Coupling& coupling, const PruningGroup& group) {
  const auto& first = group.members.front();
  const auto cell = coupling.cells.at(first.axis)[static_cast<std::size_t>(first.indices.front().front())];
  return coupling.spatial[static_cast<std::size_t>(coupling.root[static_cast<std::size_t>(cell)])];
}

/// Rows that go change extents behind, which must still fit every node. The least width down to which they do
/// is the group's limit; if not even one row may go the group is pinned.
void limit_spatial_group(const Graph& graph, std::span<const PruningGroup> all, PruningGroup& group,
                         std::size_t at, const std::string& how) {
  const Shrinker shrinker(graph, all);
  std::vector<std::vector<std::int64_t>> kept(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) kept[i] = all_indices(all[i].size);
  group.smallest = group.size;
  try {
    while (group.smallest > 1) {
      kept[at].pop_back();
      shrinker.shrink(kept);
      --group.smallest;
    }
  } catch (const Error& error) {
    if (group.smallest < group.size) return;
    group.prunable = false;
    group.reason = fmt::format("{}, and with one less nothing fits: {}", how, error.what());
  }
}

}  // namespace

bool matches(std::string_view pattern, std::string_view name) {
  // The greedy match with one point of return is enough for * and ?.
  std::size_t p = 0, n = 0, star = std::string_view::npos, mark = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<PruningGroup> find_groups(const Graph& graph, const GroupOptions& options) {
  const auto coupling = flow_ids(graph, options);
  const auto order = graph.topological_order();
  std::vector<PruningGroup> groups;
  for (auto& [signature, classes] : partition(coupling))
    groups.push_back(make_group(graph, graph.node(order[static_cast<std::size_t>(signature.maker)]),
                                signature, std::move(classes)));
  make_names_unique(groups);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (!groups[i].spatial || !groups[i].prunable) continue;
    auto limited = groups[i];
    limit_spatial_group(graph, groups, limited, i, spatial_reason(coupling, limited));
    groups[i] = std::move(limited);
  }
  return groups;
}

}  // namespace compress
