// The op table: everything the framework knows about an operator that does not need LibTorch.
//
// One file an operator family in graph/ops/. Adding an operator means adding a row here, its kernel in
// runtime/*_kernels.cpp, and, if it can run in 8 bits, its row in quant/.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libcompress/graph/graph.h"

namespace compress {

struct OperandSpec {
  std::string name;                        ///< "input", "weight"
  ValueKind kind = ValueKind::activation;  ///< activation also stands for a graph input
  bool optional = false;
  bool variadic = false;  ///< the last operand only: one or more
};

struct AttributeSpec {
  std::string name;
  Attribute fallback;  ///< its alternative is the attribute's type
  bool required = false;
  std::string help;
};

/// What a rule sees of a node: shapes and attributes, not values.
struct OpCall {
  std::string_view node_name;
  const Attributes& attributes;
  std::span<const Shape> inputs;
  const Shape& input(std::size_t i) const { return inputs[i]; }
};

/// Arithmetic of one node for a batch of one.
struct Cost {
  std::int64_t macs = 0;       ///< multiply-accumulates of conv and linear
  std::int64_t other_ops = 0;  ///< elementwise, comparisons, additions (a norm counts 2 an element, a relu 1)
};

class IdFlow;   // graph/flow.h
class Remains;  // graph/flow.h

struct Op {
  std::string name;
  std::string summary;  ///< one line
  std::string
      pruning;  ///< what `couple` does to the axes that reach it, one line in the words of the glossary
  std::vector<OperandSpec> operands;
  std::vector<AttributeSpec> attributes;

  /// Output shape; Error of kind input naming the node where the inputs do not fit.
  std::function<Shape(const OpCall&)> shape;
  std::function<Cost(const OpCall&, const Shape& output)> cost;

  /// How cell ids move and meet: see graph/flow.h. Without a rule every id that arrives is pinned. `pruning`
  /// tells it to people.
  std::function<void(IdFlow&)> couple{};

  /// The node after pruning, its literals recomputed from what survives. Without a rule it stays as it is.
  std::function<Rewrite(const Remains&)> resize{};

  /// The output may take the place of input 0 in memory: element i needs input element i only.
  bool in_place = false;

  /// Of zero it makes exactly zero (relu, tanh): what is removed stays zero behind it.
  bool zero_to_zero = false;
};

/// The row of `name`; Error of kind input naming `node_name` with the nearest known operator.
const Op& find_op(std::string_view name, std::string_view node_name);

/// All rows, by name.
std::span<const Op> all_ops();

/// Checks operands, kinds and attributes of a call and fills in defaults; returns the complete attributes.
Attributes checked_attributes(const Op& op, std::string_view node_name, const Attributes& given);

// The families, one file each in graph/ops/.
std::vector<Op> convolution_ops();    ///< conv, conv_transpose, linear, matmul
std::vector<Op> normalization_ops();  ///< batch, layer, group and instance norm
std::vector<Op> activation_ops();     ///< relu and its kin, dropout, softmax
std::vector<Op> binary_ops();         ///< add, mul, ... with broadcasting
std::vector<Op> pooling_ops();        ///< windows, global, adaptive
std::vector<Op> reduction_ops();      ///< mean, sum, ... over axes
std::vector<Op> movement_ops();       ///< concat, slice, pad, reshape, permute, shuffles, ...
std::vector<Op> resizing_ops();       ///< resize

}  // namespace compress
