#include "libcompress/graph/flow.h"

#include <cassert>

namespace compress {

IdLayer IdLayer::on(int other_axis) const {
  IdLayer moved = *this;
  moved.axis = other_axis;
  return moved;
}

IdLayer IdLayer::with_zero(bool is_zero) const {
  IdLayer changed = *this;
  changed.zero = is_zero;
  return changed;
}

std::vector<const IdLayer*> layers_along(const IdLayers& layers, int axis) {
  std::vector<const IdLayer*> found;
  for (const auto& layer : layers) {
    if (layer.axis == axis) found.push_back(&layer);
  }
  return found;
}

void IdFlow::tie(const std::vector<CellId>& a, const std::vector<CellId>& b) {
  assert(a.size() == b.size());
  if (&a == &b) return;
  for (std::size_t i = 0; i < a.size(); ++i) tie(a[i], b[i]);
}

void IdFlow::pin(const IdLayer& layer, const std::string& reason) {
  for (const auto cell : *layer.cells) pin(cell, reason);
}

}  // namespace compress
