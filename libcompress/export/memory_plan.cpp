// Placing n buffers with lifetimes so that the arena is small is strip packing with fixed horizontal
// positions, which is NP-hard. What the search relies on:
//
// 1. Some smallest layout comes from placing the buffers one by one, each on top of those already placed that
// are
//    alive with it: take a smallest layout, go through it by rising offset, and no buffer ends higher than it
//    was.
// 2. So it is enough to search orders of buffers, and among them those in which the offsets never fall.
// 3. All buffers alive in one step that are not placed yet must go on top of what is placed in that step,
// which
//    bounds every partial order from below.
#include "libcompress/export/memory_plan.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <numeric>

#include <fmt/format.h>

namespace compress {
namespace {

std::int64_t round_up(std::int64_t bytes, std::int64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

bool together(const Buffer& a, const Buffer& b) { return a.first <= b.last && b.first <= a.last; }

std::int64_t end_of(std::span<const Buffer> buffers, const std::vector<std::int64_t>& offsets) {
  std::int64_t end = 0;
  for (std::size_t i = 0; i < buffers.size(); ++i) end = std::max(end, offsets[i] + buffers[i].bytes);
  return end;
}

/// The lowest gap between the `placed` buffers alive with `buffer` that holds it.
std::int64_t lowest_gap(std::span<const Buffer> buffers, const std::vector<std::int64_t>& offsets,
                        const std::vector<std::size_t>& placed, const Buffer& buffer,
                        std::int64_t alignment) {
  std::vector<std::pair<std::int64_t, std::int64_t>> taken;
  for (const auto other : placed)
    if (together(buffers[other], buffer))
      taken.emplace_back(offsets[other], round_up(offsets[other] + buffers[other].bytes, alignment));
  std::sort(taken.begin(), taken.end());
  std::int64_t offset = 0;
  for (const auto& [begin, end] : taken) {
    if (offset + buffer.bytes <= begin) break;
    offset = std::max(offset, end);
  }
  return offset;
}

std::vector<std::int64_t> place_in_order(std::span<const Buffer> buffers,
                                         const std::vector<std::size_t>& order, std::int64_t alignment) {
  std::vector<std::int64_t> offsets(buffers.size(), 0);
  std::vector<std::size_t> placed;
  for (const auto next : order) {
    offsets[next] = lowest_gap(buffers, offsets, placed, buffers[next], alignment);
    placed.push_back(next);
  }
  return offsets;
}

using Before = std::function<bool(const Buffer&, const Buffer&)>;

std::vector<std::size_t> sorted(std::span<const Buffer> buffers, const Before& before) {
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return before(buffers[a], buffers[b]); });
  return order;
}

/// Steps by the bytes alive in them, widest first; the buffers of a step by size (Pisarchyk and Lee, MLSys
/// 2020).
std::vector<std::size_t> order_by_breadth(std::span<const Buffer> buffers) {
  const auto by_size = sorted(buffers, [](const Buffer& a, const Buffer& b) { return a.bytes > b.bytes; });
  std::vector<std::pair<std::int64_t, std::int64_t>> steps;  // minus breadth, step
  for (const auto& at : buffers) {
    std::int64_t breadth = 0;
    for (const auto& other : buffers)
      if (other.first <= at.first && at.first <= other.last) breadth += other.bytes;
    steps.emplace_back(-breadth, at.first);
  }
  std::sort(steps.begin(), steps.end());
  std::vector<std::size_t> order;
  std::vector<bool> taken(buffers.size(), false);
  for (const auto& [breadth, step] : steps)
    for (const auto i : by_size)
      if (!taken[i] && buffers[i].first <= step && step <= buffers[i].last) {
        taken[i] = true;
        order.push_back(i);
      }
  return order;
}

std::vector<std::int64_t> best_greedy(std::span<const Buffer> buffers, std::int64_t alignment) {
  const auto lifetime = [](const Buffer& each) { return each.last - each.first; };
  const std::vector<std::size_t> orders[] = {
      sorted(buffers, [](const Buffer& a, const Buffer& b) { return a.bytes > b.bytes; }),
      sorted(buffers, [&](const Buffer& a, const Buffer& b) { return lifetime(a) > lifetime(b); }),
      order_by_breadth(buffers)};
  std::vector<std::int64_t> best;
  for (const auto& order : orders) {
    auto offsets = place_in_order(buffers, order, alignment);
    if (best.empty() || end_of(buffers, offsets) < end_of(buffers, best)) best = std::move(offsets);
  }
  return best;
}

/// Depth-first search over the orders of fact 2.
class ExactSearch {
 public:
  ExactSearch(std::span<const Buffer> buffers, std::vector<std::int64_t> start, const LayoutOptions& options)
      : buffers_(buffers),
        alignment_(options.alignment),
        steps_left_(options.search_steps),
        bound_(lower_bound_bytes(buffers, options.alignment)),
        best_(std::move(start)),
        best_end_(end_of(buffers, best_)),
        offsets_(buffers.size(), -1) {}

  /// Whether the search came to its end, so that best() is a smallest layout.
  bool run() {
    extend(0, 0, 0);
    return steps_left_ > 0;
  }
  const std::vector<std::int64_t>& best() const { return best_; }

 private:
  void extend(std::size_t placed, std::int64_t floor, std::int64_t end) {
    if (placed == buffers_.size()) {
      best_ = offsets_;
      best_end_ = end;
      return;
    }
    if (!promising(floor)) return;
    for (std::size_t next = 0; next < buffers_.size() && best_end_ > bound_; ++next) {
      if (offsets_[next] >= 0) continue;
      if (--steps_left_ <= 0) return;
      const auto offset = top_below(buffers_[next]);
      const auto next_end = std::max(end, offset + buffers_[next].bytes);
      if (offset < floor || next_end >= best_end_) continue;
      offsets_[next] = offset;
      extend(placed + 1, offset, next_end);
      offsets_[next] = -1;
    }
  }

  std::int64_t top_below(const Buffer& buffer) const {
    std::int64_t top = 0;
    for (std::size_t i = 0; i < buffers_.size(); ++i)
      if (offsets_[i] >= 0 && together(buffers_[i], buffer))
        top = std::max(top, round_up(offsets_[i] + buffers_[i].bytes, alignment_));
    return top;
  }

  /// Fact 3, in every step in which a buffer begins.
  bool promising(std::int64_t floor) const {
    for (const auto& at : buffers_) {
      std::int64_t height = floor, waiting = 0, slack = 0;
      for (std::size_t i = 0; i < buffers_.size(); ++i) {
        const auto& each = buffers_[i];
        if (at.first < each.first || at.first > each.last) continue;
        const auto size = round_up(each.bytes, alignment_);
        if (offsets_[i] >= 0) {
          height = std::max(height, offsets_[i] + size);
        } else {
          waiting += size;
          slack = std::max(slack, size - each.bytes);
        }
      }
      if (waiting > 0 && height + waiting - slack >= best_end_) return false;
    }
    return true;
  }

  std::span<const Buffer> buffers_;
  std::int64_t alignment_;
  std::int64_t steps_left_;
  std::int64_t bound_;
  std::vector<std::int64_t> best_;
  std::int64_t best_end_;
  std::vector<std::int64_t> offsets_;  // -1 where not placed
};

}  // namespace

ArenaLayout lay_out(std::span<const Buffer> buffers, const LayoutOptions& options) {
  assert(options.alignment >= 1);
  ArenaLayout layout;
  layout.offsets = best_greedy(buffers, options.alignment);
  layout.minimal = end_of(buffers, layout.offsets) == lower_bound_bytes(buffers, options.alignment);
  if (!layout.minimal && buffers.size() <= options.exact_up_to) {
    ExactSearch search(buffers, layout.offsets, options);
    layout.minimal = search.run();
    layout.offsets = search.best();
  }
  layout.bytes = end_of(buffers, layout.offsets);
  assert(flaw_of(buffers, layout, options.alignment).empty());
  return layout;
}

std::int64_t lower_bound_bytes(std::span<const Buffer> buffers, std::int64_t alignment) {
  std::int64_t bound = 0;
  for (const auto& at : buffers) {  // the bytes alive only grow where a buffer begins
    std::int64_t alive = 0, slack = 0;
    for (const auto& each : buffers)
      if (each.first <= at.first && at.first <= each.last) {
        const auto size = round_up(each.bytes, alignment);
        alive += size;
        slack = std::max(slack, size - each.bytes);  // the topmost buffer needs no gap above it
      }
    bound = std::max(bound, alive - slack);
  }
  return bound;
}

std::string flaw_of(std::span<const Buffer> buffers, const ArenaLayout& layout, std::int64_t alignment) {
  if (layout.offsets.size() != buffers.size())
    return fmt::format("{} offsets for {} buffers", layout.offsets.size(), buffers.size());
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const auto begin = layout.offsets[i], end = begin + buffers[i].bytes;
    if (begin < 0 || end > layout.bytes) return fmt::format("buffer {} leaves the arena", i);
    if (begin % alignment != 0) return fmt::format("buffer {} is not aligned to {} bytes", i, alignment);
    for (std::size_t j = 0; j < i; ++j) {
      const bool apart = end <= layout.offsets[j] || layout.offsets[j] + buffers[j].bytes <= begin;
      if (!apart && together(buffers[i], buffers[j]))
        return fmt::format("buffers {} and {} overlap in step {}", j, i,
                           std::max(buffers[i].first, buffers[j].first));
    }
  }
  return "";
}

}  // namespace compress
