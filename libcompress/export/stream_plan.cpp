// Invariants of the schedule, which the simulation below and the C code (stream_sources.cpp) share:
//
// 1. A row is written before its count goes up, and its readers run after that, before the next row of the
// value.
// 2. A node makes its rows in order; the count of its output goes up before the readers of the output run.
// 3. A pool that cumulates has taken every row of its input before the next one is written.
// 4. The rows of a block count up at once; a pool takes them up to the end of a window before it hands on.
#include "libcompress/export/stream_plan.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <numeric>

#include "libcompress/export/memory_plan.h"
#include "libcompress/export/stream_axes.h"

namespace compress {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kAlignment = 4;  // of sums, and of what wide loads read
constexpr std::int64_t kSumBytes = 4;
constexpr std::int64_t kBlockPositions = 8;  // in a block of rows, where rows are narrower
constexpr std::int64_t kBlockBytes = 512;    // that a block may take more than a row
constexpr std::int64_t kFreeBytes = 128;     // that it may take for fewer calls alone

const Window* window_of(const QNode& node) {
  if (const auto* conv = std::get_if<QConv>(&node.op)) return &conv->window;
  if (const auto* pool = std::get_if<QMaxPool>(&node.op)) return &pool->window;
  if (const auto* pool = std::get_if<QAvgPool>(&node.op)) return &pool->window;
  return nullptr;
}

bool is_image(const QuantizedGraph& graph, QValueId id) { return graph.value(id).shape.size() == 4; }

template <typename... Ops>
bool is_any(const QOp& op) {
  return (std::holds_alternative<Ops>(op) || ...);
}

/// Kernels of 16 bits know whole tensors only.
bool may_be_rows(const QuantizedGraph& graph, QValueId id) {
  return is_image(graph, id) && graph.value(id).dtype == DType::int8;
}

bool streams(const QuantizedGraph& graph, const QNode& node) {
  for (const auto id : activations_of(graph, node))
    if (!may_be_rows(graph, id)) return false;
  if (!may_be_rows(graph, node.output)) return false;
  const auto& shape = graph.value(node.output).shape;
  if (const auto* concat = std::get_if<QConcat>(&node.op)) return concat->axis > 1;
  if (const auto* transpose = std::get_if<QTranspose>(&node.op)) return transpose->order[1] == 1;
  if (std::holds_alternative<QReshape>(node.op)) return graph.value(node.inputs[0]).shape[1] == shape[1];
  if (is_any<QAdd, QMul>(node.op))
    return std::all_of(node.inputs.begin(), node.inputs.end(), [&](QValueId id) {
      return graph.value(id).constant.empty() && graph.value(id).shape == shape;
    });
  return is_any<QConv, QLinear, QMaxPool, QAvgPool, QSoftmax, QRequantize, QTable>(node.op);
}

/// Disjoint windows without gaps between their taps.
bool can_cumulate(const QNode& node) {
  if (!std::holds_alternative<QMaxPool>(node.op) && !std::holds_alternative<QAvgPool>(node.op)) return false;
  const auto window = row_window(node);
  return window.kernel > 1 && window.stride >= window.kernel && window.dilation == 1;
}

bool renames(const QuantizedGraph& graph, const QNode& node) {
  if (std::holds_alternative<QReshape>(node.op)) return true;
  const auto* transpose = std::get_if<QTranspose>(&node.op);
  if (transpose == nullptr) return false;
  const auto& shape = graph.value(node.inputs[0]).shape;
  return transpose->order[2] == 2 || shape[2] == 1 || shape[3] == 1;
}

std::int64_t rows_in(const QuantizedGraph& graph, QValueId id) { return graph.value(id).shape[1]; }
std::int64_t row_bytes_of(const QuantizedGraph& graph, QValueId id) {
  return bytes_of(graph, id) / rows_in(graph, id);
}

Making making_of(const QuantizedGraph& graph, const QNode& node) {
  if (renames(graph, node)) return Making::rename;
  if (can_cumulate(node)) {
    const bool sums = std::holds_alternative<QAvgPool>(node.op);
    const auto ring = row_window(node).kernel * row_bytes_of(graph, node.inputs[0]);
    if (!sums || kSumBytes * row_bytes_of(graph, node.output) <= ring) return Making::cumulate;
  }
  const auto window = row_window(node);
  const bool one = window.kernel == 1 && window.stride == 1 && window.padding == 0;
  return one && rows_in(graph, node.inputs[0]) == rows_in(graph, node.output) ? Making::rows : Making::window;
}

/// Whether rows of zero points may stand for padding, and blocks follow each other without gaps.
bool can_block(const QuantizedGraph& graph, const QNode& node) {
  if (!std::holds_alternative<QConv>(node.op)) return false;
  const auto window = row_window(node);
  const auto last_row = graph.value(node.output).shape[1] - 1;
  return window.dilation == 1 && window.kernel >= window.stride &&
         window.first(last_row) < graph.value(node.inputs[0]).shape[1];
}

/// Rows of output that make an even number of positions, as kernels take them in pairs, and enough of them;
/// fewer where that would take too much memory, more where rows are so narrow that it takes next to none.
std::int64_t rows_of_block(const QuantizedGraph& graph, const QNode& node) {
  const auto& shape = graph.value(node.output).shape;
  const auto bytes_of_one_more =
      row_window(node).stride * row_bytes_of(graph, node.inputs[0]) + row_bytes_of(graph, node.output);
  const auto most = std::min(shape[1], 1 + kBlockBytes / bytes_of_one_more);
  std::int64_t rows = 1;
  while (rows < most && (rows * shape[2] < kBlockPositions || rows * shape[2] % 2 != 0)) ++rows;
  while (rows > 1 && 2 * rows <= shape[1] && (2 * rows - 1) * bytes_of_one_more <= kFreeBytes) rows *= 2;
  return rows;
}

/// Runs the front on counts of rows alone and notes how many rows of each value are needed at once. Values go
/// by their roots, the values whose bytes they are.
class Schedule {
 public:
  Schedule(const QuantizedGraph& graph, const std::vector<StreamedNode>& front,
           const std::vector<std::size_t>& roots)
      : graph_(graph),
        front_(front),
        roots_(roots),
        inputs_(front.size()),
        readers_(graph.values.size()),
        made_(graph.values.size(), 0),
        rows_(graph.values.size(), 1),
        held_(graph.values.size(), false) {
    for (std::size_t i = 0; i < front.size(); ++i)
      if (front[i].making != Making::rename) connect(i);
    for (std::size_t i = 0; i < front.size(); ++i)
      if (front[i].making == Making::block)
        rows_[inputs_[i][0]] = row_window(graph.nodes[i]).under(front[i].block);
  }

  void run() {
    const auto input = root(graph_.inputs[0]);
    for (auto rows = rows_in(graph_, graph_.inputs[0]); rows > 0; --rows) {
      note_write(input, 1);
      made(input, {}, 1);
    }
  }

  const std::vector<std::size_t>& readers(std::size_t value) const { return readers_[value]; }
  /// That must be kept at once.
  std::int64_t rows(std::size_t value) const { return rows_[value]; }
  /// Whether a row is needed after its first reader has handed on what it made of it.
  bool held(std::size_t value) const { return held_[value]; }

 private:
  std::size_t root(QValueId id) const { return roots_[index_of(id)]; }

  void connect(std::size_t node) {
    auto& inputs = inputs_[node];
    for (const auto id : activations_of(graph_, graph_.nodes[node]))
      if (std::find(inputs.begin(), inputs.end(), root(id)) == inputs.end()) inputs.push_back(root(id));
    for (const auto input : inputs) readers_[input].push_back(node);
  }

  /// The oldest row of `value` that a reader will read; kNever where all is read.
  std::int64_t oldest_needed(std::size_t value) const {
    std::int64_t oldest = kNever;
    for (const auto node : readers_[value]) {
      const auto& each = graph_.nodes[node];
      const auto next = made_[root(each.output)];
      if (front_[node].making == Making::cumulate || next == rows_in(graph_, each.output)) continue;
      oldest = std::min(oldest, std::max<std::int64_t>(0, row_window(each).first(next)));
    }
    return oldest;
  }

  /// The row that lies first where rows slide; below 0 in the padding.
  std::int64_t first_kept(std::size_t node) const {
    const auto& each = graph_.nodes[node];
    return row_window(each).first(made_[root(each.output)]);
  }

  bool has_reader(std::size_t value, Making making) const {
    const auto& readers = readers_[value];
    return readers.size() == 1 && front_[readers[0]].making == making;
  }

  void note_write(std::size_t value, std::int64_t count) {
    const auto row = made_[value];
    const auto first = has_reader(value, Making::block) ? first_kept(readers_[value][0])
                                                        : std::min(row, oldest_needed(value));
    rows_[value] = std::max(rows_[value], row - first + count);
  }

  void note_held(std::size_t value) {
    if (oldest_needed(value) < made_[value]) held_[value] = true;
  }

  /// `count` rows of `value` have been made from `inputs`.
  void made(std::size_t value, const std::vector<std::size_t>& inputs, std::int64_t count) {
    if (count > 1 && has_reader(value, Making::cumulate)) {  // the same as up to the end of each window
      made(value, inputs, 1);
      return made(value, inputs, count - 1);
    }
    made_[value] += count;
    for (const auto input : inputs) note_held(input);
    for (const auto node : readers_[value]) advance(node);
    note_held(value);
  }

  void advance(std::size_t node) {
    if (front_[node].making == Making::cumulate) return cumulate(node);
    const auto output = root(graph_.nodes[node].output);
    const auto count = rows_in(graph_, graph_.nodes[node].output);
    const auto block = front_[node].block;
    while (front_[node].making == Making::block ? block_ready(node) : ready(node)) {
      note_write(output, block);
      made(output, inputs_[node], std::min(block, count - made_[output]));
    }
  }

  bool block_ready(std::size_t node) const {
    const auto& each = graph_.nodes[node];
    const auto given = made_[inputs_[node][0]];
    if (made_[root(each.output)] == rows_in(graph_, each.output)) return false;
    return given == rows_in(graph_, each.inputs[0]) ||
           given - first_kept(node) >= row_window(each).under(front_[node].block);
  }

  bool ready(std::size_t node) const {
    const auto& each = graph_.nodes[node];
    const auto next = made_[root(each.output)];
    if (next == rows_in(graph_, each.output)) return false;
    return std::all_of(each.inputs.begin(), each.inputs.end(), [&](QValueId id) {
      return !graph_.value(id).constant.empty() ||
             made_[root(id)] > std::min(row_window(each).last(next), rows_in(graph_, id) - 1);
    });
  }

  void cumulate(std::size_t node) {
    const auto& each = graph_.nodes[node];
    const auto output = root(each.output);
    const auto row = made_[inputs_[node][0]] - 1, next = made_[output];
    if (next == rows_in(graph_, each.output)) return;
    const auto window = row_window(each);
    if (row == std::max<std::int64_t>(0, window.first(next))) note_write(output, 1);
    if (row == std::min(window.last(next), rows_in(graph_, each.inputs[0]) - 1)) made(output, {}, 1);
  }

  const QuantizedGraph& graph_;
  const std::vector<StreamedNode>& front_;
  const std::vector<std::size_t>& roots_;
  std::vector<std::vector<std::size_t>> inputs_;   ///< by node
  std::vector<std::vector<std::size_t>> readers_;  ///< by value
  std::vector<std::int64_t> made_, rows_;
  std::vector<bool> held_;
};

/// Makes one plan: what lies where.
class Planning {
 public:
  Planning(const QuantizedGraph& graph, std::size_t front) {
    plan_.graph = graph;
    plan_.front.resize(front);
    for (std::size_t i = 0; i < front; ++i) plan_.front[i].making = making_of(graph, graph.nodes[i]);
    roots_.resize(graph.values.size());
    std::iota(roots_.begin(), roots_.end(), 0);
  }

  StreamPlan run() {
    join_renamed();
    choose_blocks();
    give_outputs();
    stream_front();
    keep_behind();
    lay_out_state();
    return std::move(plan_);
  }

 private:
  const QuantizedGraph& graph() const { return plan_.graph; }
  std::size_t root(QValueId id) const {
    auto i = index_of(id);
    while (roots_[i] != i) i = roots_[i];
    return i;
  }
  std::int64_t front() const { return static_cast<std::int64_t>(plan_.front.size()); }

  /// In front and behind it: values that are the bytes of another.
  void join_renamed() {
    for (std::size_t i = 0; i < graph().nodes.size(); ++i) {
      const auto& node = graph().nodes[i];
      const bool same =
          i < plan_.front.size() ? plan_.front[i].making == Making::rename : moves_nothing(graph(), node);
      if (same) roots_[index_of(node.output)] = root(node.inputs[0]);
    }
    for (auto& each : roots_) each = root(QValueId{static_cast<std::int32_t>(each)});
  }

  /// The only node that reads these rows; none where there are several, or the whole is needed.
  std::optional<std::size_t> reader_in_front(QValueId id) const {
    std::optional<std::size_t> reader;
    if (last_use(id) > front()) return std::nullopt;
    for (std::size_t i = 0; i < plan_.front.size(); ++i) {
      const auto ids = activations_of(graph(), graph().nodes[i]);
      const bool reads = plan_.front[i].making != Making::rename &&
                         std::any_of(ids.begin(), ids.end(), [&](QValueId x) { return root(x) == root(id); });
      if (reads && reader) return std::nullopt;
      if (reads) reader = i;
    }
    return reader;
  }

  /// Readers before what they read: a block needs one that takes all its rows.
  void choose_blocks() {
    for (auto i = plan_.front.size(); i-- > 0;) {
      auto& node = plan_.front[i];
      const auto& each = graph().nodes[i];
      if (node.making != Making::window && node.making != Making::rows) continue;
      if (!can_block(graph(), each) || reader_in_front(each.inputs[0]) != i) continue;
      const auto reader = reader_in_front(each.output);
      const auto taking = reader ? plan_.front[*reader].making : Making::rows;
      if (taking == Making::block || taking == Making::cumulate) node.block = rows_of_block(graph(), each);
      if (node.making == Making::window || node.block > 1) node.making = Making::block;
    }
  }

  /// Nodes behind the front write outputs where the caller wants them; the front's are copied at the end.
  void give_outputs() {
    plan_.places.resize(roots_.size());
    std::vector<bool> made_in_front(roots_.size(), false);
    made_in_front[root(graph().inputs[0])] = true;
    for (std::int64_t i = 0; i < front(); ++i)
      made_in_front[root(graph().nodes[static_cast<std::size_t>(i)].output)] = true;
    for (const auto id : graph().outputs) {
      auto& place = plan_.places[root(id)];
      if (made_in_front[root(id)] || place.where == Place::Where::output)
        plan_.copies.push_back({id, plan_.output_bytes});
      else
        place = {Place::Where::output, plan_.output_bytes};
      plan_.output_bytes += bytes_of(graph(), id);
    }
  }

  void stream_front() {
    Schedule schedule(graph(), plan_.front, roots_);
    schedule.run();
    plan_.values.resize(roots_.size());
    std::vector<QValueId> streamed = {graph().inputs[0]};
    for (std::size_t i = 0; i < plan_.front.size(); ++i) streamed.push_back(graph().nodes[i].output);
    std::int64_t counters = 0, most = 0;
    for (std::size_t step = 0; step < streamed.size(); ++step) {
      const auto id = streamed[step];
      auto& value = plan_.values[index_of(id)];
      value.count = rows_in(graph(), id);
      value.row_bytes = row_bytes_of(graph(), id);
      most = std::max(most, value.count);
      if (root(id) != index_of(id)) continue;
      ++counters;
      place_rows(id, static_cast<std::int64_t>(step), schedule);
    }
    plan_.counter_bytes = counters * (most > std::numeric_limits<std::uint16_t>::max() ? 4 : 2);
    for (const auto& node : plan_.front) keep_sums(static_cast<std::size_t>(&node - plan_.front.data()));
  }

  void place_rows(QValueId id, std::int64_t step, const Schedule& schedule) {
    auto& value = plan_.values[index_of(id)];
    const auto& readers = schedule.readers(index_of(id));
    const auto last = last_use(id);
    const bool whole = last > front();
    value.rows = whole ? value.count : schedule.rows(index_of(id));
    const bool cumulated =
        step > 0 && plan_.front[static_cast<std::size_t>(step - 1)].making == Making::cumulate &&
        std::holds_alternative<QMaxPool>(graph().nodes[static_cast<std::size_t>(step - 1)].op);
    if (readers.size() == 1 && plan_.front[readers[0]].making == Making::block) value.slides_for = readers[0];
    const auto block = step > 0 ? plan_.front[static_cast<std::size_t>(step - 1)].block : 1;
    value.passing = !whole && !value.slides_for && value.rows == block && readers.size() <= 1 &&
                    !schedule.held(index_of(id)) && !cumulated;
    const auto bytes = value.rows * value.row_bytes;
    if (value.passing)
      keep(index_of(id), bytes, step, last_step_of_passing(readers, block, step));
    else
      keep(index_of(id), bytes, 0, std::max(last, front()));
  }

  /// What is behind the reader of a block runs between two of its rows.
  std::int64_t last_step_of_passing(const std::vector<std::size_t>& readers, std::int64_t block,
                                    std::int64_t step) const {
    if (block > 1) return front();
    return readers.empty() ? step : static_cast<std::int64_t>(readers[0]) + 1;
  }

  void keep_sums(std::size_t node) {
    if (plan_.front[node].making != Making::cumulate ||
        !std::holds_alternative<QAvgPool>(graph().nodes[node].op))
      return;
    keep(roots_.size() + node, kSumBytes * row_bytes_of(graph(), graph().nodes[node].output), 0, front());
  }

  /// The step in which `id` or a value of the same bytes is read last: node i runs in step i + 1; an output
  /// is read after all nodes.
  std::int64_t last_use(QValueId id) const {
    std::int64_t last = 0;
    for (std::size_t i = 0; i < graph().nodes.size(); ++i)
      for (const auto input : graph().nodes[i].inputs)
        if (root(input) == root(id)) last = static_cast<std::int64_t>(i) + 1;
    for (const auto output : graph().outputs)
      if (root(output) == root(id)) last = static_cast<std::int64_t>(graph().nodes.size()) + 1;
    return last;
  }

  void keep_behind() {
    for (std::size_t i = plan_.front.size(); i < graph().nodes.size(); ++i) {
      const auto& node = graph().nodes[i];
      const auto value = root(node.output);
      if (value != index_of(node.output) || plan_.places[value].where == Place::Where::output) continue;
      if (work_in_place(i)) continue;
      const auto step = static_cast<std::int64_t>(i) + 1;
      keep(value, bytes_of(graph(), node.output), step, std::max(step, last_use(node.output)));
    }
  }

  /// A node that reads each byte before it writes it takes over the bytes of an input that ends with it.
  bool work_in_place(std::size_t position) {
    const auto& node = graph().nodes[position];
    for (const auto input : node.inputs) {
      if (!works_in_place(graph(), node, input)) continue;
      const auto from = root(input);
      const auto keeper = std::find(keepers_.begin(), keepers_.end(), from);
      if (keeper == keepers_.end() || last_use(input) > static_cast<std::int64_t>(position) + 1) continue;
      auto& buffer = buffers_[static_cast<std::size_t>(keeper - keepers_.begin())];
      roots_[root(node.output)] = from;
      buffer.last = std::max(buffer.last, last_use(node.output));
      return true;
    }
    return false;
  }

  void keep(std::size_t keeper, std::int64_t bytes, std::int64_t first, std::int64_t last) {
    keepers_.push_back(keeper);
    buffers_.push_back({bytes, first, last});
  }

  void lay_out_state() {
    const auto layout = lay_out(buffers_, {.alignment = kAlignment});
    plan_.state_bytes = (layout.bytes + kAlignment - 1) / kAlignment * kAlignment;
    for (std::size_t k = 0; k < keepers_.size(); ++k) place(keepers_[k], buffers_[k], layout.offsets[k]);
    for (std::size_t i = 0; i < roots_.size(); ++i) {
      const auto from = root(QValueId{static_cast<std::int32_t>(i)});
      plan_.places[i] = plan_.places[from];
      if (plan_.values[i].count > 0 && i != from) {
        plan_.values[i].rows = plan_.values[from].rows;
        plan_.values[i].offset = plan_.values[from].offset;
        plan_.values[i].passing = plan_.values[from].passing;
        plan_.values[i].slides_for = plan_.values[from].slides_for;
      }
    }
  }

  void place(std::size_t keeper, const Buffer& buffer, std::int64_t offset) {
    const bool sums = keeper >= roots_.size();
    const auto name =
        sums ? graph().nodes[keeper - roots_.size()].name + ", sums" : graph().values[keeper].name;
    const auto node_in = [&](std::int64_t step) {
      return std::clamp<std::int64_t>(step - 1, 0, static_cast<std::int64_t>(graph().nodes.size()) - 1);
    };
    plan_.arena.push_back({name, offset, buffer.bytes, node_in(buffer.first), node_in(buffer.last)});
    if (sums) {
      plan_.front[keeper - roots_.size()].sums_offset = offset;
      return;
    }
    plan_.values[keeper].offset = offset;
    plan_.places[keeper] = {Place::Where::arena, offset};
  }

  StreamPlan plan_;
  std::vector<std::size_t> roots_;    ///< by value: the one whose bytes it shares
  std::vector<std::size_t> keepers_;  ///< by buffer: a root, or the number of values plus a node with sums
  std::vector<Buffer> buffers_;       ///< in steps: 0 the input, i + 1 node i; the front's all repeat
};

}  // namespace

RowWindow row_window(const QNode& node) {
  const auto* window = window_of(node);
  if (window == nullptr) return {};
  return {window->kernel[0], window->stride[0], window->pad_begin[0], window->dilation[0]};
}

std::vector<QValueId> activations_of(const QuantizedGraph& graph, const QNode& node) {
  std::vector<QValueId> result;
  for (const auto id : node.inputs)
    if (graph.value(id).constant.empty() && std::find(result.begin(), result.end(), id) == result.end())
      result.push_back(id);
  return result;
}

std::size_t streamable_nodes(const QuantizedGraph& graph) {
  std::size_t count = 0;
  while (count < graph.nodes.size() && streams(graph, graph.nodes[count])) ++count;
  return count;
}

StreamPlan plan_rows(const QuantizedGraph& graph, std::size_t front) {
  assert(front >= 1 && front <= streamable_nodes(graph));
  return Planning(graph, front).run();
}

std::optional<StreamPlan> plan_stream(const QuantizedGraph& graph) {
  std::optional<StreamPlan> best;
  const auto try_all = [&](const QuantizedGraph& along_rows, bool swapped) {
    for (std::size_t front = 1; front <= streamable_nodes(along_rows); ++front) {
      auto plan = plan_rows(along_rows, front);
      plan.swapped = swapped;
      if (!best || plan.total_bytes() < best->total_bytes()) best = std::move(plan);
    }
  };
  try_all(graph, false);
  if (can_swap_axes(graph)) try_all(with_axes_swapped(graph), true);
  return best;
}

}  // namespace compress
