// Short ways to write small networks in tests, and to draw random ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libcompress/base/random.h"
#include "libcompress/graph/graph.h"

namespace compress::testing {

struct ConvSpec {
  std::vector<std::int64_t> kernel = {3, 3};
  std::vector<std::int64_t> stride = {1, 1};
  std::vector<std::int64_t> padding = {1, 1};  ///< the same before and after
  std::int64_t groups = 1;
  bool bias = false;
};

/// Adds nodes with their parameters, named after the node ("conv1.weight").
class Builder {
 public:
  explicit Builder(Shape input) { last_ = graph.add_input("input", std::move(input)); }

  ValueId conv(const std::string& name, ValueId input, std::int64_t channels, const ConvSpec& spec = {});
  ValueId depthwise(const std::string& name, ValueId input, std::int64_t multiplier = 1);
  ValueId linear(const std::string& name, ValueId input, std::int64_t features, bool bias = true);
  ValueId batch_norm(const std::string& name, ValueId input);
  ValueId relu(const std::string& name, ValueId input);
  ValueId add(const std::string& name, ValueId a, ValueId b);
  ValueId concat(const std::string& name, std::vector<ValueId> inputs, std::int64_t axis = 1);
  ValueId pool(const std::string& op, const std::string& name, ValueId input,
               std::vector<std::int64_t> kernel);
  ValueId permute(const std::string& name, ValueId input, std::vector<std::int64_t> order);
  ValueId unary(const std::string& op, const std::string& name, ValueId input);

  ValueId input() const { return graph.inputs().front(); }
  const Shape& shape(ValueId value) const { return graph.value(value).shape; }

  /// Sets the output and returns the graph.
  Graph done(ValueId output);

  Graph graph;

 private:
  ValueId last_{};
};

/// Weights drawn so that activations keep their scale; positive variances.
Model with_random_weights(Graph graph, Random& random);

/// A network drawn from the whole op table: branches that are added or joined, depthwise and grouped
/// convolutions, pools, permutes, flatten or global pool, linear layers.
Graph random_graph(Random& random);

}  // namespace compress::testing
