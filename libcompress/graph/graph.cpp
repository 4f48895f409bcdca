#include "libcompress/graph/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <cassert>
#include <queue>

#include "libcompress/base/checked.h"
#include "libcompress/base/error.h"
#include "libcompress/graph/op.h"

namespace compress {

template <typename T>
const T& typed(const std::map<std::string, Attribute, std::less<>>& items, std::string_view name) {
  const auto found = items.find(name);
  assert(found != items.end() && std::holds_alternative<T>(found->second));
  return std::get<T>(found->second);
}

bool Attributes::boolean(std::string_view name) const { return typed<bool>(items_, name); }
std::int64_t Attributes::integer(std::string_view name) const { return typed<std::int64_t>(items_, name); }
double Attributes::number(std::string_view name) const { return typed<double>(items_, name); }
const std::vector<std::int64_t>& Attributes::integers(std::string_view name) const {
  return typed<std::vector<std::int64_t>>(items_, name);
}
const std::string& Attributes::text(std::string_view name) const { return typed<std::string>(items_, name); }

namespace {

/// One vertex a node; an edge from the producer of a value to each node that reads it.
using Wiring = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS>;

[[noreturn]] void refuse(std::string where, std::string found, std::string allowed) {
  throw Error(ErrorKind::input, {std::move(where), std::move(found), std::move(allowed), ""});
}

}  // namespace

struct Graph::Impl {
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> outputs;
  std::map<std::string, ValueId, std::less<>> value_names;
  std::map<std::string, NodeId, std::less<>> node_names;
  Wiring wiring;

  ValueId add_value(std::string name, ValueKind kind, DType dtype, Shape shape) {
    if (name.empty()) refuse("graph", "a value without a name", "a unique name");
    const ValueId id{static_cast<std::int32_t>(values.size())};
    if (!value_names.emplace(name, id).second)
      refuse(fmt::format("value '{}'", name), "a name used twice", "unique names");
    for (const auto extent : shape) {
      if (extent < 1)
        refuse(fmt::format("value '{}'", name), "shape " + to_string(shape), "extents of 1 or more");
    }
    checked_product(shape, fmt::format("value '{}'", name));
    values.push_back({id, std::move(name), kind, dtype, std::move(shape), {}});
    return id;
  }

  void check_operands(const Op& op, std::string_view name, const std::vector<ValueId>& inputs) const {
    const auto where = fmt::format("node '{}'", name);
    const auto required = static_cast<std::size_t>(
        std::count_if(op.operands.begin(), op.operands.end(), [](const auto& o) { return !o.optional; }));
    const bool variadic = op.operands.back().variadic;
    if (inputs.size() < required || (!variadic && inputs.size() > op.operands.size()))
      refuse(where, fmt::format("{} inputs for '{}'", inputs.size(), op.name),
             fmt::format("{} to {}", required, op.operands.size()));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (index_of(inputs[i]) >= values.size())
        refuse(where, "an input that is not of this graph", "its own values");
      const auto& operand = op.operands[std::min(i, op.operands.size() - 1)];
      // Any value may be any operand (a computed weight, a constant that is added), but what training writes.
      if (operand.kind == ValueKind::buffer && values[index_of(inputs[i])].kind != ValueKind::buffer)
        refuse(where,
               fmt::format("value '{}' as operand '{}'", values[index_of(inputs[i])].name, operand.name),
               "a buffer");
    }
  }

  std::vector<Shape> shapes_of(const std::vector<ValueId>& ids) const {
    std::vector<Shape> shapes;
    shapes.reserve(ids.size());
    for (const auto id : ids) shapes.push_back(values[index_of(id)].shape);
    return shapes;
  }
};

Graph::Graph() : impl_(std::make_unique<Impl>()) {}
Graph::Graph(const Graph& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(const Graph& other) {
  if (this != &other) impl_ = std::make_unique<Impl>(*other.impl_);
  return *this;
}
Graph& Graph::operator=(Graph&&) noexcept = default;
Graph::~Graph() = default;

ValueId Graph::add_input(std::string name, Shape shape, DType dtype) {
  return impl_->add_value(std::move(name), ValueKind::input, dtype, std::move(shape));
}

ValueId Graph::add_parameter(std::string name, Shape shape) {
  return impl_->add_value(std::move(name), ValueKind::parameter, DType::float32, std::move(shape));
}

ValueId Graph::add_buffer(std::string name, Shape shape) {
  return impl_->add_value(std::move(name), ValueKind::buffer, DType::float32, std::move(shape));
}

ValueId Graph::add_node(std::string op_name, std::string name, std::vector<ValueId> inputs,
                        Attributes attributes) {
  const Op& op = find_op(op_name, name);
  impl_->check_operands(op, name, inputs);
  Node node;
  node.id = NodeId{static_cast<std::int32_t>(impl_->nodes.size())};
  node.attributes = checked_attributes(op, name, attributes);
  const auto shapes = impl_->shapes_of(inputs);
  const Shape shape = op.shape({name, node.attributes, shapes});
  if (impl_->node_names.contains(name))
    refuse(fmt::format("node '{}'", name), "a name used twice", "unique names");
  node.output = impl_->add_value(name, ValueKind::activation, DType::float32, shape);
  impl_->values.back().producer = node.id;
  impl_->node_names.emplace(name, node.id);
  node.name = std::move(name);
  node.op = std::move(op_name);
  node.inputs = std::move(inputs);

  boost::add_vertex(impl_->wiring);
  for (const auto input : node.inputs) {
    if (const auto producer = impl_->values[index_of(input)].producer)
      boost::add_edge(index_of(*producer), index_of(node.id), impl_->wiring);
  }
  impl_->nodes.push_back(std::move(node));
  return impl_->nodes.back().output;
}

void Graph::set_outputs(std::vector<ValueId> outputs) {
  for (const auto id : outputs) {
    if (index_of(id) >= impl_->values.size())
      refuse("graph", "an output that is not of this graph", "its own values");
  }
  impl_->outputs = std::move(outputs);
}

const Value& Graph::value(ValueId id) const { return impl_->values.at(index_of(id)); }
const Node& Graph::node(NodeId id) const { return impl_->nodes.at(index_of(id)); }
const std::vector<Value>& Graph::values() const { return impl_->values; }
const std::vector<Node>& Graph::nodes() const { return impl_->nodes; }
const std::vector<ValueId>& Graph::outputs() const { return impl_->outputs; }

std::vector<ValueId> Graph::inputs() const {
  std::vector<ValueId> ids;
  for (const auto& value : impl_->values) {
    if (value.kind == ValueKind::input) ids.push_back(value.id);
  }
  return ids;
}

std::vector<ValueId> Graph::parameters() const {
  std::vector<ValueId> ids;
  for (const auto& value : impl_->values) {
    if (value.kind == ValueKind::parameter || value.kind == ValueKind::buffer) ids.push_back(value.id);
  }
  return ids;
}

std::optional<ValueId> Graph::find_value(std::string_view name) const {
  const auto found = impl_->value_names.find(name);
  return found == impl_->value_names.end() ? std::nullopt : std::optional(found->second);
}

std::optional<NodeId> Graph::find_node(std::string_view name) const {
  const auto found = impl_->node_names.find(name);
  return found == impl_->node_names.end() ? std::nullopt : std::optional(found->second);
}

const Node* Graph::producer(ValueId id) const {
  const auto& made_by = value(id).producer;
  return made_by ? &node(*made_by) : nullptr;
}

std::vector<NodeId> Graph::consumers(ValueId id) const {
  std::vector<NodeId> readers;
  const auto reads = [id](const Node& node) {
    return std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
  };
  if (const auto& made_by = value(id).producer) {
    for (auto [edge, end] = boost::out_edges(index_of(*made_by), impl_->wiring); edge != end; ++edge) {
      const NodeId reader{static_cast<std::int32_t>(boost::target(*edge, impl_->wiring))};
      if (reads(node(reader)) && (readers.empty() || readers.back() != reader)) readers.push_back(reader);
    }
    return readers;
  }
  for (const auto& node : impl_->nodes) {
    if (reads(node)) readers.push_back(node.id);
  }
  return readers;
}

std::vector<Shape> Graph::input_shapes(const Node& node) const { return impl_->shapes_of(node.inputs); }

std::vector<NodeId> Graph::topological_order() const {
  // Kahn's algorithm with a queue by id, so that among several orders the one nearest to that of adding is
  // taken.
  std::vector<std::size_t> waiting(impl_->nodes.size());
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    waiting[i] = boost::in_degree(i, impl_->wiring);
    if (waiting[i] == 0) ready.push(i);
  }
  std::vector<NodeId> order;
  while (!ready.empty()) {
    const auto i = ready.top();
    ready.pop();
    order.push_back(NodeId{static_cast<std::int32_t>(i)});
    for (auto [edge, end] = boost::out_edges(i, impl_->wiring); edge != end; ++edge) {
      const auto next = boost::target(*edge, impl_->wiring);
      if (--waiting[next] == 0) ready.push(next);
    }
  }
  return order;
}

Graph Graph::reshaped(const std::map<ValueId, Shape>& parameter_shapes,
                      const std::map<NodeId, Rewrite>& rewrites) const {
  Graph result(*this);
  auto& impl = *result.impl_;
  for (const auto& [id, shape] : parameter_shapes) impl.values.at(index_of(id)).shape = shape;
  for (const auto id : topological_order()) {
    auto& node = impl.nodes[index_of(id)];
    if (const auto found = rewrites.find(id); found != rewrites.end()) {
      node.op = found->second.op;
      node.attributes = found->second.attributes;
    }
    const auto shapes = impl.shapes_of(node.inputs);
    impl.values[index_of(node.output)].shape =
        find_op(node.op, node.name).shape({node.name, node.attributes, shapes});
  }
  return result;
}

}  // namespace compress
