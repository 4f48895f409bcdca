// A graph and its weights as an importer makes them from a foreign file: unique names, and limits on what the
// file can ask for.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "libcompress/graph/graph.h"

namespace compress {

class NetworkMaker {
 public:
  /// `known_elements`: see expect().
  explicit NetworkMaker(std::int64_t known_elements = 0);

  const Graph& graph() const { return graph_; }
  const StateDict& weights() const { return weights_; }

  /// The elements of constants that the file really holds, as far as is known: charge() allows a multiple.
  void expect(std::int64_t known_elements);
  /// No input or node gets this name: it is for a constant.
  void reserve(const std::string& name) { taken_.insert(name); }

  /// Names are made unique by a number behind them. Error of kind input for extents, attributes or values
  /// beyond 2^31.
  ValueId add_input(const std::string& name, const Shape& shape);
  ValueId add_constant(const std::string& name, ValueKind kind, const Tensor& tensor);  ///< as float32
  ValueId add_node(const std::string& op, const std::string& name, const std::vector<ValueId>& inputs,
                   Attributes attributes);
  void set_outputs(std::vector<ValueId> outputs) { graph_.set_outputs(std::move(outputs)); }

  /// Before a tensor of `shape` is made: Error of kind input where all that was made is more than the file
  /// can be in need of.
  void charge(const Shape& shape, const std::string& where);

  Graph take_graph() { return std::move(graph_); }
  StateDict take_weights() { return std::move(weights_); }

 private:
  std::string unique(const std::string& wish);

  Graph graph_;
  StateDict weights_;
  std::set<std::string, std::less<>> taken_;
  std::map<std::string, int, std::less<>> next_number_;
  std::int64_t charged_ = 0;
  std::int64_t most_ = 0;
};

/// Error of kind input unless the shape has at most 16 axes and 2^31 elements.
void check_imported_shape(const Shape& shape, const std::string& where);

/// A name from a file, fit for a graph: well-formed UTF-8 without control characters, at most 120 bytes.
std::string readable_name(std::string_view name);

}  // namespace compress
