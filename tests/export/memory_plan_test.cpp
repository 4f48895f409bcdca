#include "libcompress/export/memory_plan.h"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "libcompress/base/random.h"

namespace compress {
namespace {

std::vector<Buffer> random_buffers(Random& random, std::int64_t count, std::int64_t steps) {
  std::vector<Buffer> buffers;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto first = random.below(steps);
    buffers.push_back({1 + random.below(200), first, std::min(steps - 1, first + random.below(4))});
  }
  return buffers;
}

std::int64_t most_alive(const std::vector<Buffer>& buffers) {
  std::int64_t most = 0;
  for (const auto& at : buffers) {
    std::int64_t alive = 0;
    for (const auto& each : buffers)
      if (each.first <= at.first && at.first <= each.last) alive += each.bytes;
    most = std::max(most, alive);
  }
  return most;
}

/// The smallest arena over all orders of placing at the lowest free offset.
std::int64_t brute_force(const std::vector<Buffer>& buffers, std::int64_t alignment) {
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  std::int64_t best = INT64_MAX;
  do {
    std::vector<std::int64_t> offsets(buffers.size(), -1);
    std::int64_t end = 0;
    for (const auto next : order) {
      const auto free_at = [&](std::int64_t offset) {
        for (std::size_t i = 0; i < buffers.size(); ++i) {
          const auto& each = buffers[i];
          if (offsets[i] < 0 || each.last < buffers[next].first || buffers[next].last < each.first) continue;
          if (offset < offsets[i] + each.bytes && offsets[i] < offset + buffers[next].bytes) return false;
        }
        return true;
      };
      std::int64_t offset = 0;
      while (!free_at(offset)) offset += alignment;
      offsets[next] = offset;
      end = std::max(end, offset + buffers[next].bytes);
    }
    best = std::min(best, end);
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

TEST(MemoryPlan, of_nothing_is_empty) {
  const auto layout = lay_out({});
  EXPECT_EQ(layout.bytes, 0);
  EXPECT_TRUE(layout.minimal);
}

TEST(MemoryPlan, of_a_chain_holds_two_neighbors) {
  const std::vector<Buffer> buffers = {{100, 0, 1}, {60, 1, 2}, {90, 2, 3}, {10, 3, 3}};
  const auto layout = lay_out(buffers);
  EXPECT_EQ(layout.bytes, 64 + 100);  // the second below the first, with a gap of four bytes
  EXPECT_EQ(flaw_of(buffers, layout, 16), "");
  EXPECT_TRUE(layout.minimal);
}

TEST(MemoryPlan, is_valid_and_above_the_bounds_for_random_lifetimes) {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    const auto buffers = random_buffers(random, 1 + random.below(40), 1 + random.below(30));
    LayoutOptions options;
    options.alignment = std::int64_t{1} << random.below(6);
    options.search_steps = 5000;
    const auto layout = lay_out(buffers, options);
    EXPECT_EQ(flaw_of(buffers, layout, options.alignment), "") << round;
    EXPECT_GE(layout.bytes, lower_bound_bytes(buffers, options.alignment)) << round;
    EXPECT_GE(lower_bound_bytes(buffers, options.alignment), most_alive(buffers)) << round;
  }
}

TEST(MemoryPlan, is_as_small_as_brute_force_finds_for_small_graphs) {
  Random random(2);
  for (int round = 0; round < 150; ++round) {
    const auto buffers = random_buffers(random, 1 + random.below(6), 2 + random.below(6));
    LayoutOptions options;
    options.alignment = round % 2 ? 16 : 1;
    const auto layout = lay_out(buffers, options);
    EXPECT_TRUE(layout.minimal) << round;
    EXPECT_EQ(layout.bytes, brute_force(buffers, options.alignment)) << round;
  }
}

TEST(MemoryPlan, is_proven_minimal_up_to_twelve_buffers) {
  Random random(3);
  int proven = 0;
  for (int round = 0; round < 40; ++round) proven += lay_out(random_buffers(random, 12, 8)).minimal;
  EXPECT_EQ(proven, 40);
}

TEST(MemoryPlan, keeps_its_step_limit) {
  Random random(4);
  LayoutOptions options;
  options.exact_up_to = 60;
  options.search_steps = 1000;
  const auto buffers = random_buffers(random, 60, 40);
  EXPECT_EQ(flaw_of(buffers, lay_out(buffers, options), options.alignment), "");
}

TEST(MemoryPlan, checker_names_what_overlaps) {
  const std::vector<Buffer> buffers = {{32, 0, 2}, {32, 1, 3}};
  EXPECT_EQ(flaw_of(buffers, {{0, 16}, 48, false}, 16), "buffers 0 and 1 overlap in step 1");
  EXPECT_EQ(flaw_of(buffers, {{0, 40}, 72, false}, 16), "buffer 1 is not aligned to 16 bytes");
  EXPECT_EQ(flaw_of(buffers, {{0, 32}, 63, false}, 16), "buffer 1 leaves the arena");
  EXPECT_EQ(flaw_of(buffers, {{0}, 63, false}, 16), "1 offsets for 2 buffers");
}

}  // namespace
}  // namespace compress
