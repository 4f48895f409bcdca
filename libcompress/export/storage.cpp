#include "libcompress/export/storage.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "libcompress/export/memory_plan.h"

namespace compress {
namespace {

/// Union-find over values. A class of values shares its bytes; its home, if any, is one of the caller's
/// buffers.
class Sharing {
 public:
  explicit Sharing(const QuantizedGraph& graph)
      : graph_(graph), parent_(graph.values.size()), classes_(graph.values.size()) {
    std::iota(parent_.begin(), parent_.end(), 0);
    give_homes();
    set_lifetimes();
    share_where_nothing_moves();
    work_in_place();
  }

  Storage storage() {
    Storage result = std::move(result_);
    std::vector<Buffer> buffers;
    std::vector<std::size_t> roots;
    for (std::size_t i = 0; i < classes_.size(); ++i) {
      if (root_of(i) != i || !classes_[i].alive || classes_[i].home) continue;
      roots.push_back(i);
      buffers.push_back({bytes_of(graph_, graph_.values[i].id), classes_[i].first, classes_[i].last});
    }
    const auto layout = lay_out(buffers);
    result.arena_bytes = layout.bytes;
    result.minimal = layout.minimal;
    for (std::size_t k = 0; k < roots.size(); ++k) {
      classes_[roots[k]].home = Place{Place::Where::arena, layout.offsets[k]};
      result.arena.push_back(
          {names_of(roots[k]), layout.offsets[k], buffers[k].bytes, buffers[k].first, buffers[k].last});
    }
    result.places.resize(parent_.size());
    for (std::size_t i = 0; i < parent_.size(); ++i)
      if (const auto& home = at(graph_.values[i].id).home) result.places[i] = *home;
    return result;
  }

 private:
  struct Class {
    std::int64_t first = 0, last = 0;  ///< steps; node i runs in step i
    std::optional<Place> home;
    bool alive = false;  ///< holds an activation
  };

  std::size_t root_of(std::size_t i) const {
    while (parent_[i] != i) i = parent_[i];
    return i;
  }
  Class& at(QValueId id) { return classes_[root_of(index_of(id))]; }

  void join(QValueId from, QValueId to) {
    const auto a = root_of(index_of(from)), b = root_of(index_of(to));
    if (a == b) return;
    auto& kept = classes_[a];
    const auto& gone = classes_[b];
    if (!kept.home) kept.home = gone.home;
    kept.first = std::min(kept.first, gone.first);
    kept.last = std::max(kept.last, gone.last);
    parent_[b] = a;
  }

  void give_homes() {
    at(graph_.inputs[0]).home = Place{Place::Where::input, 0};
    for (const auto id : graph_.outputs) {
      if (at(id).home)
        result_.copies.push_back({id, result_.output_bytes});
      else
        at(id).home = Place{Place::Where::output, result_.output_bytes};
      result_.output_bytes += bytes_of(graph_, id);
    }
  }

  void set_lifetimes() {
    at(graph_.inputs[0]).alive = true;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const auto step = static_cast<std::int64_t>(i);
      at(graph_.nodes[i].output) = {step, step, at(graph_.nodes[i].output).home, true};
      for (const auto id : graph_.nodes[i].inputs) at(id).last = step;
    }
  }

  void share_where_nothing_moves() {
    for (const auto& node : graph_.nodes)
      if (moves_nothing(graph_, node) && !(at(node.inputs[0]).home && at(node.output).home))
        join(node.inputs[0], node.output);
  }

  void work_in_place() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const auto& node = graph_.nodes[i];
      for (const auto id : node.inputs) {
        if (!works_in_place(graph_, node, id)) continue;
        if (at(id).home || at(id).last > static_cast<std::int64_t>(i)) continue;
        join(id, node.output);
        break;
      }
    }
  }

  std::string names_of(std::size_t root) const {
    std::string names;
    for (std::size_t i = 0; i < parent_.size(); ++i)
      if (root_of(i) == root) names += (names.empty() ? "" : " = ") + graph_.values[i].name;
    return names;
  }

  const QuantizedGraph& graph_;
  std::vector<std::size_t> parent_;
  std::vector<Class> classes_;
  Storage result_;
};

}  // namespace

bool works_in_place(const QuantizedGraph& graph, const QNode& node, QValueId input) {
  const auto& op = node.op;
  const bool element_by_element = std::holds_alternative<QRequantize>(op) ||
                                  std::holds_alternative<QAdd>(op) || std::holds_alternative<QMul>(op) ||
                                  std::holds_alternative<QTable>(op) || std::holds_alternative<QSoftmax>(op);
  return element_by_element && graph.value(input).constant.empty() &&
         graph.value(input).dtype == graph.value(node.output).dtype &&
         graph.value(input).shape == graph.value(node.output).shape;  // others repeat
}

std::int64_t bytes_of(const QuantizedGraph& graph, QValueId id) {
  const auto& value = graph.value(id);
  return element_count(value.shape) * static_cast<std::int64_t>(size_of(value.dtype));
}

bool moves_nothing(const QuantizedGraph& graph, const QNode& node) {
  if (std::holds_alternative<QReshape>(node.op)) return true;
  const auto* transpose = std::get_if<QTranspose>(&node.op);
  if (transpose == nullptr) return false;
  std::vector<std::int32_t> long_axes;  // only axes with more than one element have an order
  for (const auto axis : transpose->order)
    if (graph.value(node.inputs[0]).shape[static_cast<std::size_t>(axis)] > 1) long_axes.push_back(axis);
  return std::is_sorted(long_axes.begin(), long_axes.end());
}

Storage assign_storage(const QuantizedGraph& graph) { return Sharing(graph).storage(); }

}  // namespace compress
