#include "libcompress/quant/lower/operators.h"

#include <fmt/format.h>

#include <algorithm>

namespace compress::lowering {
namespace {

void check_operands(const Graph& graph, const Node& node, Operator::Operands operands) {
  if (operands == Operator::Operands::any) return;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const bool weight = operands == Operator::Operands::weights_behind_first && i > 0;
    const bool constant = is_constant(graph, node.inputs[i]);
    refuse_if(weight && !constant, node, "a computed weight", "a parameter");
    refuse_if(!weight && constant, node, "a constant as input", "an activation");
  }
}

[[noreturn]] void refuse_operator(const Node& node) {
  std::vector<std::string_view> known;
  for (const auto& row : all_operators()) known.push_back(row.name);
  refuse(node, "operator '" + node.op + "'", fmt::format("{}", fmt::join(known, ", ")),
         "replace it, or keep the network in float32");
}

}  // namespace

bool is_constant(const Graph& graph, ValueId id) {
  const auto kind = graph.value(id).kind;
  return kind == ValueKind::parameter || kind == ValueKind::buffer;
}

const std::vector<Operator>& all_operators() {
  static const std::vector<Operator> table = [] {
    std::vector<Operator> rows;
    for (auto family : {weighted_operators, transposed_operators, pool_operators, elementwise_operators,
                        binary_operators, reduction_operators, movement_operators}) {
      const auto more = family();
      rows.insert(rows.end(), more.begin(), more.end());
    }
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return rows;
  }();
  return table;
}

const Operator& operator_of(const Graph& graph, const Node& node) {
  const auto& table = all_operators();
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.name == node.op; });
  if (found == table.end()) refuse_operator(node);
  check_operands(graph, node, found->operands);
  return *found;
}

}  // namespace compress::lowering
