#include "libcompress/graph/flow.h"

#include <cassert>

namespace compress {

CellId IdLayer::at(const std::vector<std::int64_t>& index) const {
  assert(index.size() == strides.size());
  std::int64_t position = offset;
  for (std::size_t i = 0; i < index.size(); ++i) position += index[i] * strides[i];
  return (*cells)[static_cast<std::size_t>(position)];
}

int IdLayer::varying_axis() const {
  int axis = -1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (strides[i] == 0) continue;
    if (axis >= 0) return -2;
    axis = static_cast<int>(i);
  }
  return axis;
}

std::vector<CellId> IdLayer::along(int axis) const {
  std::vector<std::int64_t> index(shape.size(), 0);
  std::vector<CellId> ids;
  for (auto& i = index[static_cast<std::size_t>(axis)]; i < shape[static_cast<std::size_t>(axis)]; ++i)
    ids.push_back(at(index));
  return ids;
}

IdLayer IdLayer::along_axis(Shape shape, int axis, std::vector<CellId> cells) {
  assert(static_cast<std::size_t>(shape[static_cast<std::size_t>(axis)]) == cells.size());
  IdLayer layer;
  layer.strides.assign(shape.size(), 0);
  layer.strides[static_cast<std::size_t>(axis)] = 1;
  layer.shape = std::move(shape);
  layer.cells = std::make_shared<const std::vector<CellId>>(std::move(cells));
  return layer;
}

const IdLayer* layer_along(const IdLayers& layers, int axis) {
  for (const auto& layer : layers) {
    if (layer.varying_axis() == axis) return &layer;
  }
  return nullptr;
}

}  // namespace compress
