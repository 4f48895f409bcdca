// What the walk that finds the coupling and the one that checks a removal share. Internal to analysis.
#pragma once

#include <cassert>
#include <utility>

#include "libcompress/graph/flow.h"

namespace compress {

/// A node's view of the flow. `full` is the graph before pruning, which may be `graph` itself.
class NodeFlow : public IdFlow {
 public:
  NodeFlow(const Graph& graph, const Graph& full, const Node& node)
      : graph_(graph), full_(full), node_(node) {}

  const Node& node() const override { return node_; }
  const Shape& input_shape(std::size_t input) const override {
    return graph_.value(node_.inputs[input]).shape;
  }
  const Shape& output_shape() const override { return graph_.value(node_.output).shape; }
  std::size_t input_count() const override { return node_.inputs.size(); }
  const std::string& input_name(std::size_t input) const override {
    return graph_.value(node_.inputs[input]).name;
  }

  const Node& full_node() const override { return full_.node(node_.id); }
  const Shape& full_input_shape(std::size_t input) const override {
    return full_.value(node_.inputs[input]).shape;
  }
  const Shape& full_output_shape() const override { return full_.value(node_.output).shape; }

  void emit(IdLayer layer) override {
    assert(layer.axis >= 0 && static_cast<std::size_t>(layer.axis) < output_shape().size());
    assert(static_cast<std::int64_t>(layer.cells->size()) ==
           output_shape()[static_cast<std::size_t>(layer.axis)]);
    emitted_.push_back(std::move(layer));
  }

  IdLayers take_emitted() { return std::move(emitted_); }

 protected:
  const Graph& graph_;
  const Graph& full_;
  const Node& node_;
  IdLayers emitted_;
};

}  // namespace compress
