#include "libcompress/export/stream_plan.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "libcompress/export/stream_axes.h"
#include "libcompress/quant/reference.h"
#include "tests/export/graphs.h"

namespace compress {
namespace {

using testing_graphs::Builder;
using testing_graphs::every_operation;
using testing_graphs::random_graph;
using testing_graphs::square;

const StreamedValue& streamed(const StreamPlan& plan, QValueId id) { return plan.values[index_of(id)]; }

/// Runs a plan on bytes that say whose they are instead of on numbers.
class TaggedRun {
 public:
  explicit TaggedRun(const StreamPlan& plan)
      : plan_(plan),
        graph_(plan.graph),
        state_(static_cast<std::size_t>(plan.state_bytes), -1),
        made_(plan.values.size(), 0) {}

  /// What went wrong, or empty.
  std::string run() {
    const auto input = graph_.inputs[0];
    while (made(input) < value(input).count) give(input);
    for (std::size_t i = 0; i < plan_.front.size(); ++i) {
      const auto id = graph_.nodes[i].output;
      if (made(id) != value(id).count)
        complain(fmt::format("{} of {} rows of {}", made(id), value(id).count, name(id)));
    }
    run_behind();
    return complaint_;
  }

 private:
  using Tag = std::int64_t;

  const StreamedValue& value(QValueId id) const { return plan_.values[index_of(id)]; }
  const std::string& name(QValueId id) const { return graph_.value(id).name; }

  /// The value whose rows these are.
  QValueId original(QValueId id) const {
    for (std::size_t i = plan_.front.size(); i-- > 0;)
      if (plan_.front[i].making == Making::rename && graph_.nodes[i].output == id)
        id = graph_.nodes[i].inputs[0];
    return id;
  }
  std::int64_t& made(QValueId id) { return made_[index_of(original(id))]; }

  Tag tag(QValueId id, std::int64_t row) const {
    return static_cast<Tag>(index_of(original(id))) << 32 | row;
  }
  /// The row that lies first where rows slide.
  std::int64_t first_kept(QValueId id) const {
    const auto& reader = graph_.nodes[*value(id).slides_for];
    return row_window(reader).first(made_[index_of(original(reader.output))]);
  }
  std::size_t place(QValueId id, std::int64_t row) const {
    if (value(id).slides_for)
      return static_cast<std::size_t>(value(id).offset + (row - first_kept(id)) * value(id).row_bytes);
    return static_cast<std::size_t>(value(id).offset + row % value(id).rows * value(id).row_bytes);
  }

  void complain(const std::string& text) {
    if (complaint_.empty()) complaint_ = text;
  }

  void write(QValueId id, std::int64_t row) { fill(place(id, row), value(id).row_bytes, tag(id, row)); }
  void read(QValueId id, std::int64_t row) {
    expect(place(id, row), value(id).row_bytes, tag(id, row), fmt::format("row {} of {}", row, name(id)));
  }
  void fill(std::size_t offset, std::int64_t bytes, Tag tag) {
    if (offset + static_cast<std::size_t>(bytes) > state_.size()) return complain("a write past the state");
    std::fill_n(state_.begin() + static_cast<std::ptrdiff_t>(offset), bytes, tag);
  }
  void expect(std::size_t offset, std::int64_t bytes, Tag tag, const std::string& what) {
    for (std::int64_t i = 0; i < bytes; ++i)
      if (state_[offset + static_cast<std::size_t>(i)] != tag) complain(what + " is not there any more");
  }

  void give(QValueId id) {
    write(id, made(id));
    hand_on(id);
  }

  void hand_on(QValueId id, std::int64_t rows = 1) {
    made(id) += rows;
    for (std::size_t i = 0; i < plan_.front.size(); ++i) {
      const auto& node = graph_.nodes[i];
      const bool reads = std::any_of(node.inputs.begin(), node.inputs.end(), [&](QValueId input) {
        return graph_.value(input).constant.empty() && original(input) == original(id);
      });
      if (!reads || plan_.front[i].making == Making::rename) continue;
      if (plan_.front[i].making == Making::block)
        make_blocks(i);
      else
        plan_.front[i].making == Making::cumulate ? cumulate(i) : advance(i);
    }
  }

  /// Rows of padding are not looked at, as the plan keeps no room for others in their place.
  void make_blocks(std::size_t i) {
    const auto& node = graph_.nodes[i];
    const auto from = node.inputs[0];
    const auto window = row_window(node);
    const auto block = plan_.front[i].block, under = window.under(block);
    if (under > value(from).rows) complain("a block of more rows than are kept");
    while (made(node.output) < value(node.output).count) {
      const auto next = made(node.output), first = window.first(next);
      if (made(from) < std::min(first + under, value(from).count)) return;
      for (auto row = std::max<std::int64_t>(0, first); row < std::min(first + under, value(from).count);
           ++row)
        read(from, row);
      for (auto row = next; row < next + block; ++row) write(node.output, row);
      slide(from, first, window.stride * block);
      give_block(node.output, std::min(block, value(node.output).count - next));
    }
  }

  void slide(QValueId id, std::int64_t first, std::int64_t rows) {
    const auto front = state_.begin() + static_cast<std::ptrdiff_t>(value(id).offset);
    const auto kept = (made(id) - first - rows) * value(id).row_bytes;
    if (kept > 0) std::copy_n(front + rows * value(id).row_bytes, kept, front);
  }

  void give_block(QValueId id, std::int64_t rows) {
    if (value(id).slides_for) return hand_on(id, rows);
    for (; rows > 0; --rows) hand_on(id);
  }

  void advance(std::size_t i) {
    const auto& node = graph_.nodes[i];
    const auto window = row_window(node);
    while (made(node.output) < value(node.output).count && covered(node, window)) {
      const auto row = made(node.output);
      for (const auto id : activations_of(graph_, node))
        for (std::int64_t tap = 0; tap < window.kernel; ++tap)
          if (const auto from = window.first(row) + tap * window.dilation;
              from >= 0 && from < value(id).count)
            read(id, from);
      give(node.output);
    }
  }

  bool covered(const QNode& node, const RowWindow& window) {
    const auto ids = activations_of(graph_, node);
    return std::all_of(ids.begin(), ids.end(), [&](QValueId id) {
      return made(id) == value(id).count || made(id) > window.last(made(node.output));
    });
  }

  /// Sums and maxima are there from a window's first row to its last.
  void cumulate(std::size_t i) {
    const auto& node = graph_.nodes[i];
    const auto id = node.inputs[0];
    const auto row = made(id) - 1, next = made(node.output);
    const auto window = row_window(node);
    read(id, row);
    if (next == value(node.output).count || row < window.first(next)) return;
    const bool sums = std::holds_alternative<QAvgPool>(node.op);
    const auto bytes = value(node.output).row_bytes * (sums ? 4 : 1);
    const auto offset =
        sums ? static_cast<std::size_t>(plan_.front[i].sums_offset) : place(node.output, next);
    const auto mark = sums ? -2 - static_cast<Tag>(i) : tag(node.output, next);
    if (row == std::max<std::int64_t>(0, window.first(next)))
      fill(offset, bytes, mark);
    else
      expect(offset, bytes, mark, "the sum of " + node.name);
    if (row < std::min(window.last(next), value(id).count - 1)) return;
    if (sums) write(node.output, next);
    hand_on(node.output);
  }

  void run_behind() {
    for (std::size_t i = plan_.front.size(); i < graph_.nodes.size(); ++i) {
      const auto& node = graph_.nodes[i];
      for (const auto id : activations_of(graph_, node)) read_whole(id);
      write_whole(node);
    }
    for (const auto& copy : plan_.copies) read_whole(copy.from);
  }

  /// The value whose bytes these are, in front or behind.
  QValueId source(QValueId id) const {
    const auto renamed = renamed_.find(index_of(id));
    return renamed == renamed_.end() ? id : renamed->second;
  }

  void read_whole(QValueId id) {
    id = source(id);
    const auto& at = plan_.places[index_of(id)];
    if (value(id).count > 0)
      for (std::int64_t row = 0; row < value(id).count; ++row) read(id, row);
    else if (at.where == Place::Where::arena)
      expect(static_cast<std::size_t>(at.offset), bytes_of(graph_, id), tag(id, 0), name(id));
  }

  void write_whole(const QNode& node) {
    const auto& at = plan_.places[index_of(node.output)];
    if (moves_nothing(graph_, node) && plan_.places[index_of(node.inputs[0])] == at)
      renamed_[index_of(node.output)] = source(node.inputs[0]);
    else if (at.where == Place::Where::arena)
      fill(static_cast<std::size_t>(at.offset), bytes_of(graph_, node.output), tag(node.output, 0));
  }

  const StreamPlan& plan_;
  const QuantizedGraph& graph_;
  std::vector<Tag> state_;
  std::vector<std::int64_t> made_;
  std::map<std::size_t, QValueId> renamed_;  ///< behind the front
  std::string complaint_;
};

TEST(StreamPlan, never_reads_a_row_that_was_overwritten_and_makes_each_once) {
  std::size_t plans = 0;
  for (std::uint64_t seed = 0; seed < 340; ++seed) {
    const auto upright = random_graph(seed);
    for (const auto& graph : {upright, with_axes_swapped(upright)})
      for (std::size_t front = 1; front <= streamable_nodes(graph); ++front, ++plans)
        ASSERT_EQ(TaggedRun(plan_rows(graph, front)).run(), "") << seed << ", front " << front << "\n"
                                                                << to_text(graph);
  }
  EXPECT_GT(plans, 1000u);
}

TEST(StreamPlan, keeps_as_many_rows_as_a_window_covers) {
  Builder build(1, {1, 40, 10, 4});
  const auto x = build.conv(build.input(), 8, square(3, 1, 1));
  const auto y = build.conv(x, 8, square(5, 2, 2));
  const auto z = build.conv(y, 4, square(1, 1, 0));
  const auto plan = plan_rows(build.done({build.reshape(z, {1, 20 * 5 * 4})}), 3);
  EXPECT_EQ(streamed(plan, build.input()).rows, 3);
  EXPECT_EQ(streamed(plan, x).rows, 5);
  EXPECT_EQ(streamed(plan, y).rows, 1);
  EXPECT_TRUE(streamed(plan, y).passing);
  EXPECT_EQ(streamed(plan, z).rows, 20);  // read whole behind the front
}

TEST(StreamPlan, delays_a_shortcut_until_the_longer_way_has_its_row) {
  Builder build(2, {1, 40, 10, 4});
  const auto x = build.conv(build.input(), 4, square(3, 1, 1));
  const auto y = build.conv(x, 4, square(3, 1, 1));
  const auto z = build.conv(y, 4, square(3, 1, 1));
  const auto sum = build.add(x, z);
  const auto plan = plan_rows(build.done({build.max_pool(sum, square(2, 2, 0))}), 5);
  EXPECT_EQ(streamed(plan, y).rows, 3);
  EXPECT_EQ(streamed(plan, x).rows, 3);  // rows r, r + 1 and r + 2 are there when row r of z is
  EXPECT_TRUE(streamed(plan, z).passing);
  EXPECT_TRUE(streamed(plan, sum).passing);
}

TEST(StreamPlan, keeps_no_ring_under_a_pool_whose_windows_do_not_overlap) {
  Builder build(3, {1, 40, 10, 4});
  const auto x = build.conv(build.input(), 8, square(3, 1, 1));
  const auto y = build.max_pool(x, square(4, 4, 0));
  const auto plan = plan_rows(build.done({build.conv(y, 2, square(3, 1, 1))}), 3);
  EXPECT_TRUE(streamed(plan, x).passing);
  EXPECT_EQ(streamed(plan, y).rows, 3);
  EXPECT_EQ(plan.front[1].making, Making::cumulate);
}

TEST(StreamPlan, streams_the_time_of_sound_whichever_axis_it_lies_on) {
  const Window taps{{1, 9}, {1, 2}, {0, 4}, {0, 4}, {1, 1}};
  Builder build(4, {1, 1, 4000, 1});
  const auto x = build.conv(build.input(), 8, taps);
  const auto y = build.transpose(build.conv(x, 8, taps), {0, 3, 2, 1});
  const auto z = build.conv(y, 4, square(3, 1, 1));
  const auto graph = build.done({build.average_pool(z, {{8, 1000}, {8, 1000}, {0, 0}, {0, 0}, {1, 1}})});
  const auto plan = plan_stream(graph);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->swapped);
  EXPECT_EQ(plan->front.size(), 5u);
  EXPECT_LT(plan->total_bytes(), 400);
}

TEST(StreamPlan, makes_rows_of_one_position_in_blocks) {
  const Window taps{{9, 1}, {2, 1}, {0, 0}, {0, 0}, {1, 1}};
  Builder build(4, {1, 4009, 1, 1});
  const auto x = build.conv(build.input(), 8, taps);
  const auto y = build.conv(x, 8, taps);
  const auto z = build.max_pool(y, {{50, 1}, {50, 1}, {0, 0}, {0, 0}, {1, 1}});
  const auto plan = plan_rows(build.done({z}), 3);
  EXPECT_EQ(plan.front[0].making, Making::block);
  EXPECT_EQ(plan.front[0].block, 8);
  EXPECT_EQ(streamed(plan, build.input()).rows, 7 * 2 + 9);
  EXPECT_EQ(streamed(plan, x).rows, 3 * 8);  // the fewest blocks with 7 * 2 + 9 rows
  EXPECT_EQ(streamed(plan, y).rows, 8);
}

TEST(StreamPlan, makes_no_blocks_where_rows_are_wide_or_large) {
  Builder build(9, {1, 40, 16, 4});
  const auto wide = build.conv(build.conv(build.input(), 8, square(3, 1, 1)), 8, square(3, 1, 1));
  const auto plan = plan_rows(build.done({build.max_pool(wide, square(2, 2, 0))}), 3);
  EXPECT_EQ(plan.front[0].making, Making::block);
  EXPECT_EQ(plan.front[0].block, 1);
  Builder deep(10, {1, 40, 3, 200});
  const auto large = deep.conv(deep.conv(deep.input(), 200, square(1, 1, 0)), 8, square(3, 1, 1));
  EXPECT_EQ(plan_rows(deep.done({large}), 2).front[0].block, 1);
}

TEST(StreamPlan, is_none_where_nothing_streams) {
  Builder build(5, {1, 64});
  EXPECT_FALSE(plan_stream(build.done({build.linear(build.input(), 10)})));
}

std::vector<std::int8_t> transposed(const std::vector<std::int8_t>& data, const Shape& shape) {
  if (shape.size() != 4) return data;
  std::vector<std::int8_t> result(data.size());
  const auto height = shape[1], width = shape[2], channels = shape[3];
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      std::copy_n(data.begin() + (y * width + x) * channels, channels,
                  result.begin() + (x * height + y) * channels);
  return result;
}

TEST(SwappedAxes, give_the_same_bytes_for_the_input_on_its_side) {
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    const auto graph = seed < 100 ? random_graph(seed) : every_operation(seed);
    const auto swapped = with_axes_swapped(graph);
    const ReferenceExecutor upright(graph), turned(swapped);
    for (const auto& vector : testing_graphs::record(graph, 2, seed)) {
      const auto input = transposed(vector.input, graph.value(graph.inputs[0]).shape);
      ASSERT_EQ(turned.run_all(input), upright.run_all(vector.input)) << seed;
    }
  }
}

}  // namespace
}  // namespace compress
