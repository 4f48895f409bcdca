// The network-independent picture of a network: nodes, values, axes, shapes.
//
// Parameters and buffers are values like any other, so that (value, dimension) names every axis that pruning
// can touch. Dimension 0 of every input is the batch; the runtime takes any multiple (see op `reshape`).
#pragma once

#include <compare>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "libcompress/graph/tensor.h"

namespace compress {

/// Index of a value or node within its graph; stable for the life of the graph and kept by surgery.
enum class ValueId : std::int32_t {};
enum class NodeId : std::int32_t {};
constexpr std::size_t index_of(ValueId id) { return static_cast<std::size_t>(id); }
constexpr std::size_t index_of(NodeId id) { return static_cast<std::size_t>(id); }

enum class ValueKind {
  input,       ///< fed by the caller
  parameter,   ///< a trained weight
  buffer,      ///< a weight that is not trained by gradient (running mean)
  activation,  ///< made by a node
};

struct Value {
  ValueId id{};
  std::string name;  ///< unique; for parameters the name in the state dict ("conv1.weight")
  ValueKind kind = ValueKind::activation;
  DType dtype = DType::float32;
  Shape shape;
  std::optional<NodeId> producer{};
};

/// One dimension of one value: the unit of pruning.
struct Axis {
  ValueId value{};
  std::int32_t dimension = 0;
  auto operator<=>(const Axis&) const = default;
};

using Attribute = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>>;

/// An operator's settings by name. The getters assert that the name is there with that type: add_node()
/// checks attributes against the op table and fills in defaults.
class Attributes {
 public:
  Attributes() = default;
  Attributes(std::initializer_list<std::pair<const std::string, Attribute>> items) : items_(items) {}

  bool boolean(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;
  const std::vector<std::int64_t>& integers(std::string_view name) const;
  const std::string& text(std::string_view name) const;

  bool has(std::string_view name) const { return items_.contains(name); }
  void set(std::string name, Attribute value) { items_[std::move(name)] = std::move(value); }
  const std::map<std::string, Attribute, std::less<>>& items() const { return items_; }
  bool operator==(const Attributes&) const = default;

 private:
  std::map<std::string, Attribute, std::less<>> items_;
};

struct Node {
  NodeId id{};
  std::string name;  ///< unique ("conv1")
  std::string op;    ///< a name of the op table ("conv")
  Attributes attributes;
  std::vector<ValueId>
      inputs;  ///< in the op table's operand order; absent optional operands are left out at the end
  ValueId output{};
};

/// What a node is after pruning: its attributes, and its operator where that has to be another one (a channel
/// shuffle of unequal blocks is a gather).
struct Rewrite {
  std::string op;
  Attributes attributes;
  bool operator==(const Rewrite&) const = default;
};

/// A directed acyclic graph. A value type: copying copies the graph (weights live in Model).
class Graph {
 public:
  Graph();
  Graph(const Graph&);
  Graph(Graph&&) noexcept;
  Graph& operator=(const Graph&);
  Graph& operator=(Graph&&) noexcept;
  ~Graph();

  /// Building. Errors of kind input name the node or value: a name used twice, an operator the table does not
  /// have, attributes or shapes that do not fit its rule.
  ValueId add_input(std::string name, Shape shape, DType dtype = DType::float32);
  ValueId add_parameter(std::string name, Shape shape);
  ValueId add_buffer(std::string name, Shape shape);
  /// Infers the output's shape by the op's shape rule. The output value takes the node's name.
  ValueId add_node(std::string op, std::string name, std::vector<ValueId> inputs, Attributes attributes = {});
  void set_outputs(std::vector<ValueId> outputs);

  const Value& value(ValueId id) const;
  const Node& node(NodeId id) const;
  const std::vector<Value>& values() const;
  const std::vector<Node>& nodes() const;  ///< in the order they were added
  const std::vector<ValueId>& outputs() const;
  std::vector<ValueId> inputs() const;
  std::vector<ValueId> parameters() const;  ///< parameters and buffers, in order

  std::optional<ValueId> find_value(std::string_view name) const;
  std::optional<NodeId> find_node(std::string_view name) const;
  const Node* producer(ValueId id) const;  ///< nullptr for inputs, parameters and buffers
  std::vector<NodeId> consumers(ValueId id) const;
  std::vector<Shape> input_shapes(const Node& node) const;

  /// Every node after the nodes it reads from; among several orders the one nearest to that of adding.
  std::vector<NodeId> topological_order() const;

  /// The same nodes with other extents: parameters take `parameter_shapes` (by value), nodes become what
  /// `rewrites` says (by node, where present), and every activation's shape is inferred again. Ids and names
  /// stay. For surgery.
  Graph reshaped(const std::map<ValueId, Shape>& parameter_shapes,
                 const std::map<NodeId, Rewrite>& rewrites) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A graph with its weights.
struct Model {
  std::string name;
  Graph graph;
  StateDict weights;  ///< one float32 tensor for every parameter and buffer of the graph
  std::map<std::string, std::string>
      metadata;  ///< free text that travels with the model (class names, origin)
};

/// Checks every invariant: acyclic, names unique, shapes as the op rules infer them, one weight of the right
/// shape and finite values for every parameter, nothing left over. Error of kind input for the first that
/// fails.
void verify(const Graph& graph);
void verify(const Model& model);
/// That `weights` has a finite float32 tensor of the shape of this parameter or buffer.
void verify_weight(const Value& value, const StateDict& weights);

/// One line a node, for people: "conv1: conv(input, conv1.weight) stride=[1, 2] -> [1, 8, 1, 15109]".
std::string to_text(const Graph& graph);
/// Graphviz.
std::string to_dot(const Graph& graph);

/// 32 hexadecimal digits over structure, attributes and shapes (not weights): the same graph on another day.
std::string fingerprint(const Graph& graph);

/// JSON both ways; docs/formats.md has the layout. Reading verifies and never trusts a size.
std::string graph_to_json(const Graph& graph);
Graph graph_from_json(std::string_view json, std::string_view where);

}  // namespace compress
