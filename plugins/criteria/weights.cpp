#include "plugins/criteria/weights.h"

namespace compress {

std::vector<Scores> sums_of_weights(std::span<const PruningGroup> groups, const Model& model,
                                    Terms::Kind kind) {
  SliceSums sums([&](const Value& value) -> Terms {
    if (value.kind != ValueKind::parameter || value.shape.size() < 2) return {};
    return {kind, model.weights.at(value.name).as<float>()};
  });
  return sums_of_groups(groups, model.graph, sums);
}

}  // namespace compress
