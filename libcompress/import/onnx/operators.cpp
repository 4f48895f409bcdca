#include "libcompress/import/onnx/operators.h"

#include <algorithm>

namespace compress::onnx {

const std::vector<Operator>& all_operators() {
  static const std::vector<Operator> table = [] {
    std::vector<Operator> rows;
    for (auto family :
         {convolution_operators, attention_operators, norm_operators, pool_operators, elementwise_operators,
          movement_operators, reduction_operators, resize_operators, constant_operators}) {
      const auto more = family();
      rows.insert(rows.end(), more.begin(), more.end());
    }
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return rows;
  }();
  return table;
}

const Operator* find_operator(const NodeRecord& node) {
  if (!node.domain.empty()) return nullptr;
  const auto& table = all_operators();
  const auto found = std::lower_bound(table.begin(), table.end(), node.op,
                                      [](const auto& row, auto name) { return row.name < name; });
  return found != table.end() && found->name == node.op ? &*found : nullptr;
}

}  // namespace compress::onnx
