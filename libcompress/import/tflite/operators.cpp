#include "libcompress/import/tflite/operators.h"

#include <algorithm>

namespace compress::tflite {

const std::vector<Operator>& all_operators() {
  static const std::vector<Operator> table = [] {
    std::vector<Operator> rows;
    for (auto family : {convolution_operators, pool_operators, elementwise_operators, movement_operators,
                        slicing_operators, reduction_operators, image_operators, constant_operators}) {
      const auto more = family();
      rows.insert(rows.end(), more.begin(), more.end());
    }
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return rows;
  }();
  return table;
}

const Operator* find_operator(std::string_view name) {
  const auto& table = all_operators();
  const auto found = std::lower_bound(table.begin(), table.end(), name,
                                      [](const auto& row, auto wanted) { return row.name < wanted; });
  return found != table.end() && found->name == name ? &*found : nullptr;
}

}  // namespace compress::tflite
