// The float operators that have an 8-bit form, each with the function that adds it to the 8-bit network.
#pragma once

#include <string_view>
#include <vector>

#include "libcompress/quant/lower/lowering.h"

namespace compress::lowering {

struct Operator {
  std::string_view name;  ///< of the float operator
  void (*lower)(Lowering& to, const Node& node);
  enum class Operands { activations, weights_behind_first, any } operands = Operands::activations;
};

std::vector<Operator> weighted_operators();     ///< convolutions, linear, batch norms
std::vector<Operator> transposed_operators();   ///< transposed convolutions
std::vector<Operator> pool_operators();         ///< windows without weights
std::vector<Operator> elementwise_operators();  ///< clamps, functions, softmax
std::vector<Operator> binary_operators();       ///< of two values, one of which may be a parameter
std::vector<Operator> reduction_operators();    ///< means
std::vector<Operator> movement_operators();     ///< what only moves numbers

/// A parameter or buffer.
bool is_constant(const Graph& graph, ValueId id);

/// Sorted by name.
const std::vector<Operator>& all_operators();

/// Error of kind input naming the node and a remedy for an operator that is not there, or operands it does
/// not take.
const Operator& operator_of(const Graph& graph, const Node& node);

}  // namespace compress::lowering
