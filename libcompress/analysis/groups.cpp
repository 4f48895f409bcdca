#include "libcompress/analysis/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

#include "libcompress/analysis/coupling.h"
#include "libcompress/analysis/shrink.h"
#include "libcompress/base/error.h"

namespace compress {
namespace {

/// One index of one axis of a parameter; `axis` numbers the axes of all parameters in order.
struct Place {
  std::int32_t axis;
  std::int32_t index;
};

/// By root: where its cells are, ordered by axis and index. One long list instead of a map for each root: a
/// network has hundreds of thousands.
class Classes {
 public:
  Classes(const Graph& graph, const Coupling& coupling) : starts_(coupling.root.size() + 2, 0) {
    for (const auto id : graph.parameters()) {
      const auto rank = graph.value(id).shape.size();
      for (std::size_t d = 0; d < rank; ++d) axes_.push_back({id, static_cast<std::int32_t>(d)});
    }
    // Counted two places ahead and filled one place ahead, the starts end where they belong.
    for_each_cell(coupling, [this](std::size_t root, Place) { ++starts_[root + 2]; });
    for (std::size_t i = 2; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
    places_.resize(starts_.back());
    for_each_cell(coupling, [this](std::size_t root, Place place) { places_[starts_[root + 1]++] = place; });
  }

  const std::vector<Axis>& axes() const { return axes_; }
  std::span<const Place> of(std::size_t root) const {
    return {places_.data() + starts_[root], starts_[root + 1] - starts_[root]};
  }

 private:
  template <typename Use>
  void for_each_cell(const Coupling& coupling, Use use) const {
    for (std::size_t a = 0; a < axes_.size(); ++a) {
      const auto& cells = coupling.cells(axes_[a]);
      for (std::size_t i = 0; i < cells.size(); ++i)
        use(static_cast<std::size_t>(coupling.root_of(cells[i])),
            Place{static_cast<std::int32_t>(a), static_cast<std::int32_t>(i)});
    }
  }

  std::vector<Axis> axes_;
  std::vector<std::uint32_t> starts_;
  std::vector<Place> places_;
};

/// Roots that may form one group have the same: maker, fate, parts they belong to, axes they lie on.
using Signature = std::vector<std::int32_t>;

struct SignatureHash {
  std::size_t operator()(const Signature& signature) const {
    std::size_t hash = signature.size();
    for (const auto each : signature) hash = (hash ^ static_cast<std::size_t>(each)) * 0x9E3779B97F4A7C15U;
    return hash ^ (hash >> 32);
  }
};

/// By root: the numbers of the parts that it belongs to.
std::vector<std::vector<std::int32_t>> parts_by_root(const Coupling& coupling) {
  std::vector<std::vector<std::int32_t>> parts(coupling.parts.empty() ? 0 : coupling.root.size());
  for (std::size_t p = 0; p < coupling.parts.size(); ++p) {
    for (const auto root : coupling.parts[p])
      parts[static_cast<std::size_t>(root)].push_back(static_cast<std::int32_t>(p));
  }
  return parts;
}

/// Roots that form one group, ascending; groups in the order of their makers.
std::vector<std::vector<CellId>> partition(const Coupling& coupling, const Classes& classes) {
  const auto parts = parts_by_root(coupling);
  std::unordered_map<Signature, std::size_t, SignatureHash> numbers;
  std::vector<std::vector<CellId>> groups;
  Signature signature;
  for (std::size_t root = 0; root < coupling.root.size(); ++root) {
    const auto places = classes.of(root);
    // An input channel or a kernel's window has no maker; of a constant or a pad nothing is left to cut.
    if (coupling.maker[root] < 0 || places.empty()) continue;
    signature = {coupling.maker[root], coupling.pinned[root], coupling.spatial[root]};
    if (!parts.empty()) signature.insert(signature.end(), parts[root].begin(), parts[root].end());
    signature.push_back(-1);
    for (const auto& place : places) {
      if (signature.back() != place.axis) signature.push_back(place.axis);
    }
    const auto [found, added] = numbers.try_emplace(signature, groups.size());
    if (added) groups.emplace_back();
    groups[found->second].push_back(static_cast<CellId>(root));
  }
  std::stable_sort(groups.begin(), groups.end(), [&](const auto& a, const auto& b) {
    return coupling.maker[static_cast<std::size_t>(a.front())] <
           coupling.maker[static_cast<std::size_t>(b.front())];
  });
  return groups;
}

/// The axis that the maker's output carries: of its parameters the first, along dimension 0.
std::size_t leading_axis(const Graph& graph, const Node& maker, std::span<const std::int32_t> axes,
                         const Classes& classes) {
  for (const auto input : maker.inputs) {
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const auto& axis = classes.axes()[static_cast<std::size_t>(axes[i])];
      if (axis.value == input && axis.dimension == 0 && graph.value(input).shape.size() > 1) return i;
    }
  }
  return 0;
}

PruningGroup make_group(const Graph& graph, const Node& maker, const Coupling& coupling,
                        const Classes& classes, std::vector<CellId> roots) {
  const auto first = roots.front();
  PruningGroup group;
  group.name = maker.name;
  group.size = static_cast<std::int64_t>(roots.size());
  group.reason = coupling.pin_reason(first);
  group.prunable = group.reason.empty();
  group.spatial = coupling.spatial[static_cast<std::size_t>(first)] >= 0;
  if (group.prunable && group.size == 1) {
    group.prunable = false;
    group.reason = "all of it goes together or not at all";
  }
  std::vector<std::int32_t> axes;
  for (const auto& place : classes.of(static_cast<std::size_t>(first))) {
    if (axes.empty() || axes.back() != place.axis) axes.push_back(place.axis);
  }
  const auto lead = leading_axis(graph, maker, axes, classes);
  const auto lead_axis = axes[lead];
  const auto first_index = [&](CellId root) {
    const auto places = classes.of(static_cast<std::size_t>(root));
    return std::find_if(places.begin(), places.end(), [&](const Place& p) { return p.axis == lead_axis; })
        ->index;
  };
  const auto earlier = [&](CellId a, CellId b) { return first_index(a) < first_index(b); };
  if (!std::is_sorted(roots.begin(), roots.end(), earlier)) std::sort(roots.begin(), roots.end(), earlier);
  for (const auto axis : axes) group.members.push_back({classes.axes()[static_cast<std::size_t>(axis)], {}});
  for (auto& member : group.members) member.indices.reserve(roots.size());
  for (const auto root : roots) {
    for (auto& member : group.members) member.indices.add_list();
    std::size_t m = 0;  // places come in the order of the axes
    for (const auto& place : classes.of(static_cast<std::size_t>(root))) {
      while (axes[m] != place.axis) ++m;
      group.members[m].indices.add_to_last(place.index);
    }
  }
  std::rotate(group.members.begin(), group.members.begin() + static_cast<std::ptrdiff_t>(lead),
              group.members.begin() + static_cast<std::ptrdiff_t>(lead) + 1);
  return group;
}

void make_names_unique(std::vector<PruningGroup>& groups) {
  std::map<std::string, int> seen;
  for (auto& group : groups) {
    if (const int count = ++seen[group.name]; count > 1) group.name += fmt::format("#{}", count);
  }
}

std::string spatial_reason(const Coupling& coupling, const PruningGroup& group) {
  const auto& first = group.members.front();
  const auto cell = coupling.cells(first.axis)[static_cast<std::size_t>(first.indices[0].front())];
  return std::string(coupling.spatial_reason(coupling.root_of(cell)));
}

/// Rows that go change extents behind, which must still fit every node. The least width down to which they do
/// is the group's limit; if not even one row may go the group is pinned.
void limit_spatial_group(const Shrinker& shrinker, std::span<const PruningGroup> all, PruningGroup& group,
                         std::size_t at, const std::string& how) {
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

IndexLists::IndexLists(const std::vector<std::vector<std::int64_t>>& lists) {
  for (const auto& list : lists) {
    add_list();
    for (const auto index : list) add_to_last(index);
  }
}

void IndexLists::reserve(std::size_t lists) {
  flat_.reserve(lists);
  ends_.reserve(lists);
}

std::vector<std::vector<std::int64_t>> IndexLists::as_vectors() const {
  std::vector<std::vector<std::int64_t>> lists;
  for (std::size_t i = 0; i < size(); ++i) lists.emplace_back((*this)[i].begin(), (*this)[i].end());
  return lists;
}

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
  const auto coupling = std::make_shared<const Coupling>(flow_ids(graph, options));
  const Classes classes(graph, *coupling);
  const auto order = graph.topological_order();
  std::vector<PruningGroup> groups;
  for (auto& roots : partition(*coupling, classes)) {
    const auto maker = static_cast<std::size_t>(coupling->maker[static_cast<std::size_t>(roots.front())]);
    groups.push_back(make_group(graph, graph.node(order[maker]), *coupling, classes, std::move(roots)));
  }
  make_names_unique(groups);
  std::optional<Shrinker> shrinker;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (!groups[i].spatial || !groups[i].prunable) continue;
    if (!shrinker) shrinker.emplace(graph, groups, coupling);
    auto limited = groups[i];
    limit_spatial_group(*shrinker, groups, limited, i, spatial_reason(*coupling, limited));
    groups[i] = std::move(limited);
  }
  return groups;
}

}  // namespace compress
